import { AgnoChatError, type ErrorCode } from "../../errors.js";

/** A message between two processes: a call or its result. Survives a structured clone. */
export type Frame =
  | {
      readonly kind: "call";
      readonly id: number;
      readonly name: string;
      readonly args: readonly unknown[];
    }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | {
      readonly kind: "failure";
      readonly id: number;
      /** Absent for an error that is not ours. */
      readonly code?: ErrorCode;
      readonly message: string;
    };

/** Functions that one process offers to another. */
type Offered = Readonly<Record<string, (...args: never[]) => unknown>>;

interface Waiting {
  resolve(value: never): void;
  reject(reason: unknown): void;
}

/** One end of a channel between two processes, which call each other's functions. */
export class Calls<Theirs extends Offered> {
  readonly #post: (frame: Frame) => void;
  readonly #ours: Offered;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #ended: unknown;

  constructor(post: (frame: Frame) => void, ours: Offered = {}) {
    this.#post = post;
    this.#ours = ours;
  }

  /** Rejects with what the function threw, or as soon as the channel ends. */
  call<Name extends keyof Theirs & string>(
    name: Name,
    ...args: Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      const id = ++this.#calls;
      this.#waiting.set(id, { resolve, reject });
      this.#post({ kind: "call", id, name, args });
    });
  }

  /** Takes what came from the other end. */
  async receive(frame: Frame): Promise<void> {
    if (frame.kind === "call") return this.#post(await this.#serve(frame));
    const waiting = this.#waiting.get(frame.id);
    this.#waiting.delete(frame.id);
    if (frame.kind === "answer") waiting?.resolve(frame.value as never);
    else waiting?.reject(errorOf(frame));
  }

  /** Rejects everything that still waits, and every call from here on. */
  end(reason: Error): void {
    this.#ended ??= reason;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }

  async #serve({ id, name, args }: Frame & { readonly kind: "call" }): Promise<Frame> {
    try {
      const serve = this.#ours[name] as (...args: readonly unknown[]) => unknown;
      return { kind: "answer", id, value: await serve(...args) };
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      const code = thrown instanceof AgnoChatError ? { code: thrown.code } : {};
      return { kind: "failure", id, ...code, message };
    }
  }
}

const errorOf = ({ code, message }: Frame & { readonly kind: "failure" }): Error =>
  code === undefined ? new Error(message) : new AgnoChatError(code, message);
