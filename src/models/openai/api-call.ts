import { onAbort } from "../../abort.js";
import { AgnoChatError } from "../../errors.js";
import { LIMITS } from "../limits.js";
import type { ApiServer } from "./api-server.js";

/**
 * How long to wait for the end of the body after the answer: only then can the connection be
 * reused.
 */
const END_OF_BODY_MS = 250;

/**
 * One request to a server and its answer, with its time limits. It ends when the caller aborts, or
 * when the server is silent for too long.
 */
export class ApiCall {
  readonly #controller = new AbortController();
  readonly #server: ApiServer;
  readonly #stopFollowing: () => void;
  #idleMs: number;
  #isEnding = false;
  #startedAt: number | undefined;
  /** When the answer last grew, its size then, and what has arrived since. */
  #lastProgress = { size: 0, time: performance.now(), bytes: 0, events: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(server: ApiServer, caller: AbortSignal) {
    this.#server = server;
    this.#idleMs = server.idleTimeoutMs;
    this.#stopFollowing = onAbort(caller, () => this.#controller.abort(caller.reason));
    this.#restartTimer();
  }

  /** Aborts when the socket must be closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Passes the body on and limits its pauses. The reader's own time does not count. */
  async *withIdleTimeout(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<Uint8Array> {
    this.#restartTimer();
    for await (const bytes of body ?? []) {
      if (!this.#isEnding) clearTimeout(this.#timer);
      if (!this.#isEnding) this.#limit(bytes);
      yield bytes;
      if (!this.#isEnding) this.#restartTimer();
    }
  }

  /**
   * Counts one event.
   * @param size Characters of the answer so far.
   * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` after too many events that added nothing
   */
  noteSize(size: number): void {
    if (size > this.#lastProgress.size)
      this.#lastProgress = { size, time: performance.now(), bytes: 0, events: 0 };
    this.#lastProgress.events += 1;
    if (this.#lastProgress.events > LIMITS.eventsWithoutProgress) throw this.#withoutProgress();
  }

  /** Gives the server only a moment to end the body. */
  expectEnd(): void {
    this.#isEnding = true;
    this.#idleMs = Math.min(this.#idleMs, END_OF_BODY_MS);
    this.#restartTimer();
  }

  /**
   * Stops the timer. The socket is already closed if the body was left early, else free for reuse.
   */
  end(): void {
    clearTimeout(this.#timer);
    this.#stopFollowing();
  }

  /** Why the call failed: the reason of the abort if there was one, else what was thrown. */
  causeOf(thrown: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : thrown;
  }

  /** Limits a server that keeps sending without answering, or without an end. */
  #limit({ length }: Uint8Array): void {
    const now = performance.now();
    this.#startedAt ??= now;
    this.#lastProgress.bytes += length;
    if (this.#lastProgress.bytes > LIMITS.bytesWithoutProgress) throw this.#withoutProgress();
    if (now - this.#lastProgress.time > LIMITS.msWithoutProgress)
      throw this.#tooSlow("sent no part of an answer for", LIMITS.msWithoutProgress);
    if (now - this.#startedAt > LIMITS.msOfAnswer)
      throw this.#tooSlow("did not end its answer within", LIMITS.msOfAnswer);
  }

  #withoutProgress(): AgnoChatError {
    const message = `${this.#server.host} sent too much that is not part of an answer.`;
    return new AgnoChatError("MODEL_BAD_RESPONSE", message, {
      hint: "Try again; if it happens again, look at the server's log.",
    });
  }

  #tooSlow(what: string, ms: number): AgnoChatError {
    return new AgnoChatError(
      "MODEL_TIMEOUT",
      `${this.#server.host} ${what} ${ms / 60_000} minutes.`,
      { hint: "Try again, or ask for less at once." },
    );
  }

  #restartTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#timeOut, this.#idleMs);
  }

  readonly #timeOut = (): void => {
    const message = `${this.#server.host} sent nothing for ${this.#idleMs / 1000} s.`;
    this.#controller.abort(
      new AgnoChatError("MODEL_TIMEOUT", message, { hint: "Try again, or allow it more time." }),
    );
  };
}
