import { AgnoChatError } from "../../errors.js";
import { LIMITS } from "../limits.js";
import type { Server } from "./server.js";

/** How long the end of a body is awaited whose answer is complete: then its connection can be used again. */
const END_OF_BODY_MS = 250;

/** One request to a server and its answer. Ends when its caller aborts, or when the server is silent for too long. */
export class Call {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #server: Server;
  #idleMs: number;
  #isEnding = false;
  #begun: number | undefined;
  /** What came, and when, since an answer last grew. */
  #since = { size: 0, time: performance.now(), bytes: 0, events: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(server: Server, caller: AbortSignal) {
    this.#server = server;
    this.#caller = caller;
    this.#idleMs = server.idleTimeoutMs;
    if (caller.aborted) this.#follow();
    else caller.addEventListener("abort", this.#follow, { once: true });
    this.#listen();
  }

  /** Aborted when the socket has to be closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Passes the body on. Time counts as silence only while a piece of it is awaited. */
  async *heard(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<Uint8Array> {
    this.#listen();
    for await (const bytes of body ?? []) {
      if (!this.#isEnding) clearTimeout(this.#timer);
      if (!this.#isEnding) this.#limit(bytes);
      yield bytes;
      if (!this.#isEnding) this.#listen();
    }
  }

  /**
   * An event has come, and so much of an answer since it began.
   * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` when the answer has not grown for too many events
   */
  measure(size: number): void {
    if (size > this.#since.size)
      this.#since = { size, time: performance.now(), bytes: 0, events: 0 };
    this.#since.events += 1;
    if (this.#since.events > LIMITS.eventsWithoutProgress) throw this.#withoutProgress();
  }

  /** From now on the server has little time left, whatever it sends. */
  expectEnd(): void {
    this.#isEnding = true;
    this.#idleMs = Math.min(this.#idleMs, END_OF_BODY_MS);
    this.#listen();
  }

  /** Listens no longer. A body that was left half read has closed its socket, a whole one has given it back. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller.removeEventListener("abort", this.#follow);
  }

  /** Why the call failed: the abort, whatever came of it, or else what was thrown. */
  causeOf(thrown: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : thrown;
  }

  /** Silence has its own timer; this is about what comes and is no answer, or no end of one. */
  #limit({ length }: Uint8Array): void {
    const now = performance.now();
    this.#begun ??= now;
    this.#since.bytes += length;
    if (this.#since.bytes > LIMITS.bytesWithoutProgress) throw this.#withoutProgress();
    if (now - this.#since.time > LIMITS.msWithoutProgress)
      throw this.#tooSlow("sent nothing of an answer for", LIMITS.msWithoutProgress);
    if (now - this.#begun > LIMITS.msOfAnswer)
      throw this.#tooSlow("did not end its answer within", LIMITS.msOfAnswer);
  }

  #withoutProgress(): AgnoChatError {
    const message = `${this.#server.host} sent a great deal that is no answer.`;
    return new AgnoChatError("MODEL_BAD_RESPONSE", message, {
      hint: "Try again; if it stays so, look at the server's log.",
    });
  }

  #tooSlow(what: string, ms: number): AgnoChatError {
    return new AgnoChatError(
      "MODEL_TIMEOUT",
      `${this.#server.host} ${what} ${ms / 60_000} minutes.`,
      { hint: "Try again, or ask for less at once." },
    );
  }

  #listen(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#giveUp, this.#idleMs);
  }

  readonly #follow = (): void => this.#controller.abort(this.#caller.reason);

  readonly #giveUp = (): void => {
    const message = `${this.#server.host} sent nothing for ${this.#idleMs / 1000} s.`;
    this.#controller.abort(
      new AgnoChatError("MODEL_TIMEOUT", message, { hint: "Try again, or allow it more time." }),
    );
  };
}
