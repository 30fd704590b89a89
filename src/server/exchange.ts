import { onAbort } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import { type Answer, failure, type StreamedAnswer, type WholeAnswer } from "./answer.js";
import type { BodyQuota } from "./body.js";
import { failureShapeAt } from "./failure-shape.js";
import type { RequestContext } from "./request-context.js";

/** Milliseconds. Proxies close silent connections, most of them after 30 or 60 seconds. */
const LONGEST_SILENCE = 15_000;

/** What the requests of one server share on their way in and out. */
export interface DoorParts {
  readonly quota: BodyQuota;
  /** How long a body may take to arrive, where nobody else sees to that. */
  readonly bodyTimeoutMs: number;
  /** How long a client may read nothing before it is disconnected. */
  readonly writeTimeoutMs: number;
}

/** Where an answer goes: a response of Node, or the `Response` of `fetch`. */
export interface Outlet {
  /** The status that was sent. */
  readonly status: number;
  /** Whether status and headers are sent. */
  readonly hasBegun: boolean;
  /** Whether nothing more can be sent. */
  readonly isClosed: boolean;
  /** Whether the client must catch up first. */
  readonly isFull: boolean;
  /** Tells from now on what becomes of the answer. */
  open(receiver: Receiver): void;
  send(answer: WholeAnswer): void;
  begin(headers: StreamedAnswer["headers"]): void;
  write(text: string): void;
  end(): void;
  /** Cuts off an answer that has begun. */
  cut(): void;
  /** Calls `drained` once the client has caught up. Hangs up on one that reads nothing. */
  catchUp(drained: () => void): void;
  /** No longer waits for the client. */
  resume(): void;
  /** Closes the connection after this answer, where the server has a say in it. */
  stopKeepAlive(): void;
}

export interface Receiver {
  /** The answer was sent. */
  finish(): void;
  /** The client is gone. */
  hangUp(): void;
}

const ignore = (): void => {};

/** One request and its answer, until it is sent or the client is gone. */
export class Exchange implements Receiver {
  readonly context: RequestContext;
  readonly outlet: Outlet;
  /** The client hung up before the whole answer was sent. */
  left = false;
  #isOver = false;
  #onOver = ignore;

  constructor(context: RequestContext, outlet: Outlet) {
    this.context = context;
    this.outlet = outlet;
    outlet.open(this);
  }

  /** Sends the answer of a route. Undefined once all of it is handed over. */
  answer(answer: Answer): Promise<void> | undefined {
    if ("pieces" in answer) return this.#stream(answer);
    this.outlet.send(answer);
    return undefined;
  }

  /** Answers with a failure, or cuts off what has begun. */
  fail(thrown: unknown): void {
    this.context.fail(thrown);
    if (this.outlet.hasBegun || this.outlet.isClosed) this.#cut();
    else this.outlet.send(failure(thrown, { shape: failureShapeAt(this.context.path) }));
  }

  abort(reason: AgnoChatError): void {
    this.context.cancellation.abort(reason);
  }

  finish(): void {
    this.#isOver = true;
    const tell = this.#onOver;
    this.#onOver = ignore;
    tell();
  }

  hangUp(): void {
    if (!this.#isOver) {
      this.left = !this.context.cancellation.aborted;
      this.abort(new AgnoChatError("CANCELLED", "The client hung up."));
    }
    this.finish();
  }

  /** Calls the listener when the answer is sent, or the client is gone. */
  whenOver(listener: () => void): void {
    if (this.#isOver) listener();
    else this.#onOver = listener;
  }

  #cut(): void {
    this.finish();
    this.outlet.cut();
  }

  async #stream(answer: StreamedAnswer): Promise<void> {
    const { filler } = answer;
    const timer = filler && setInterval(() => this.#breakSilence(answer, filler), LONGEST_SILENCE);
    try {
      if (this.context.head.method !== "HEAD")
        for await (const piece of answer.pieces) await this.#write(answer, piece);
      this.#begin(answer);
      this.outlet.end();
    } catch (thrown) {
      await this.#failStream(answer, thrown);
    } finally {
      if (timer) clearInterval(timer);
    }
  }

  async #failStream(answer: StreamedAnswer, thrown: unknown): Promise<void> {
    const { outlet } = this;
    if (!outlet.hasBegun && !outlet.isClosed && answer.refusal) {
      outlet.send(answer.refusal(thrown));
      return;
    }
    if (!outlet.hasBegun || this.#isGone || !answer.lastWords) throw thrown;
    await this.#write(answer, answer.lastWords(thrown));
    outlet.end();
  }

  /**
   * Resolves when there is room for more. After an abort of the server it resolves at once, so that
   * the last words can follow.
   * @throws {AgnoChatError} `CANCELLED` when the client has hung up or has stopped reading
   */
  async #write(answer: StreamedAnswer, text: string): Promise<void> {
    this.#refuseGone();
    this.#begin(answer);
    this.outlet.write(text);
    if (!this.outlet.isFull) return;
    await this.#catchUp();
    this.outlet.resume();
    this.#refuseGone();
  }

  #begin({ headers }: StreamedAnswer): void {
    if (!this.outlet.hasBegun) this.outlet.begin(headers);
  }

  #breakSilence(answer: StreamedAnswer, filler: string): void {
    if (this.#isGone || this.outlet.isFull) return;
    this.#begin(answer);
    this.outlet.write(filler);
  }

  #catchUp(): Promise<void> {
    return new Promise((resolve) => {
      const forget = onAbort(this.context.cancellation, resolve);
      this.outlet.catchUp(() => {
        forget();
        resolve();
      });
    });
  }

  get #isGone(): boolean {
    return this.left || this.outlet.isClosed;
  }

  #refuseGone(): void {
    if (this.#isGone) throw new AgnoChatError("CANCELLED", "The client is gone.");
  }
}
