import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { onAbort } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import { DEFAULT_SESSION_ID, type SessionId, type UserId, validateSessionId } from "../ids.js";
import type { Deleted, SessionOptions } from "../memory/memory.js";
import { plainMessage } from "../messages.js";
import type { ModelRequest } from "../models/model.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { checkedSnapshot } from "./check-snapshot.js";
import type { RunEvent, RunOutput } from "./events.js";
import { type OnBusy, RunQueue } from "./queue.js";
import { requestOf } from "./request.js";
import { executeRun, type RunParts } from "./run.js";
import { RunStream } from "./run-stream.js";
import { mostFor } from "./window.js";

/** What a run may be told beside its user and its input. */
export interface UserRunOptions {
  /** Default: `default`. */
  readonly sessionId?: string | undefined;
  /** Cancels the run wherever it is. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The id of the run whose place this one takes: the last of its session. The model is not sent it, and it goes when this
   * one is stored whole: one that fails or is cancelled leaves it there. What its tools changed in the session state, or
   * elsewhere, stays. When it is not the last run, or no longer, `RUN_CONFLICT` is thrown and nothing stored.
   */
  readonly replaceRun?: string | undefined;
}

export const RUN_KEYS: KnownKeys<UserRunOptions> = {
  sessionId: true,
  signal: true,
  replaceRun: true,
};

/** Runs of any users on shared parts: one at a time for each user and session, all others at once. */
export class Runner {
  readonly parts: RunParts;
  readonly #onBusy: OnBusy;
  readonly #queue = new RunQueue();

  constructor(parts: RunParts, onBusy: OnBusy) {
    this.parts = parts;
    this.#onBusy = onBusy;
  }

  run(userId: UserId, input: string, options: UserRunOptions): Promise<RunOutput> {
    const controller = new AbortController();
    const how = { controller, keepInterrupted: false, emit: ignore };
    return this.#start(userId, input, { ...how, options });
  }

  stream(userId: UserId, input: string, options: UserRunOptions): RunStream {
    const controller = new AbortController();
    return new RunStream(
      (emit) => this.#start(userId, input, { controller, keepInterrupted: true, emit, options }),
      () => controller.abort(cancelled()),
    );
  }

  async context(userId: UserId, sessionId: SessionId): Promise<ModelRequest> {
    const { memory, historyLimit: limit } = this.parts;
    const snapshot = checkedSnapshot(await memory.read(userId, { sessionId, limit }), sessionId);
    const most = mostFor(this.parts.model.name, snapshot.messages);
    const request = requestOf(this.parts, snapshot, { current: [], limit, most });
    return { ...request, messages: request.messages.map(plainMessage) };
  }

  /**
   * As `memory.clear`. A run under way stores nothing, not even when nothing was stored yet that the memory could
   * delete: it is told before, since it could be done by the time the memory is.
   */
  async clear(userId: UserId, { sessionId }: SessionOptions): Promise<Deleted> {
    this.#queue.clear(userId, sessionId);
    return this.parts.memory.clear(userId, { sessionId });
  }

  /** Users with a run under way or waiting. */
  activeUsers(): ReadonlySet<string> {
    return this.#queue.activeUsers();
  }

  async #start(userId: UserId, input: string, { options, ...how }: RunHow): Promise<RunOutput> {
    refuseUnknownKeys(options, RUN_KEYS, "A run");
    const who = { userId, sessionId: sessionOf(options) };
    validateInput(input);
    this.parts.toolScope.refuseReentry(who);
    const { controller } = how;
    const { replaceRun } = options;
    const unlink = linkAbort(options.signal, controller);
    try {
      return await this.#inTurn(who, controller, (isCleared) =>
        executeRun(this.parts, {
          ...who,
          ...how,
          // An answer that was stopped takes no other's place.
          keepInterrupted: how.keepInterrupted && replaceRun === undefined,
          signal: controller.signal,
          input,
          replaceRun,
          runId: randomUUID(),
          isCleared,
        }),
      );
    } finally {
      unlink();
    }
  }

  async #inTurn<T>(
    { userId, sessionId }: Who,
    controller: AbortController,
    run: (isCleared: () => boolean) => Promise<T>,
  ): Promise<T> {
    controller.signal.throwIfAborted();
    const place = this.#queue.take(userId, sessionId, controller, this.#onBusy);
    try {
      if (place.turn !== undefined) await place.turn;
      const clears = place.clears();
      return await run(() => place.clears() > clears);
    } finally {
      place.leave();
    }
  }
}

interface Who {
  readonly userId: UserId;
  readonly sessionId: SessionId;
}

interface RunHow {
  readonly controller: AbortController;
  readonly keepInterrupted: boolean;
  readonly emit: (event: RunEvent) => void;
  readonly options: UserRunOptions;
}

const ignore = (): void => {};

/** @throws {AgnoChatError} `INVALID_SESSION_ID` */
export const sessionOf = ({ sessionId }: UserRunOptions): SessionId =>
  validateSessionId(sessionId === undefined ? DEFAULT_SESSION_ID : sessionId);

function validateInput(input: unknown): void {
  if (typeof input === "string" && input.trim() !== "") return;
  throw new AgnoChatError("INVALID_INPUT", "The message is empty.", { hint: "Say something." });
}

/** Cancels with the caller's signal, which may be one for any number of runs. Returns how to let go of it. */
function linkAbort(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (signal === undefined) return ignore;
  setMaxListeners(0, signal);
  return onAbort(signal, () => controller.abort(cancelled(signal.reason)));
}

/** A reason of our own, such as a time-out, is kept. */
const cancelled = (reason?: unknown): AgnoChatError =>
  reason instanceof AgnoChatError
    ? reason
    : new AgnoChatError("CANCELLED", "The run was cancelled.", { cause: reason });
