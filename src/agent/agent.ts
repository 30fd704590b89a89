import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { AgnoChatError } from "../errors.js";
import { DEFAULT_SESSION_ID, DEFAULT_USER_ID, validateSessionId, validateUserId } from "../ids.js";
import { InMemory } from "../memory/in-memory.js";
import type { DeletedUsers, Memory } from "../memory/memory.js";
import { plainMessage } from "../messages.js";
import type { Model, ModelRequest } from "../models/model.js";
import { toolTable } from "../tools/call-tool.js";
import type { Toolkit } from "../tools/tool.js";
import type { RunEvent, RunOutput } from "./events.js";
import { type OnBusy, RunQueue } from "./queue.js";
import { requestOf } from "./request.js";
import { executeRun, type RunParts } from "./run.js";
import { RunStream } from "./run-stream.js";
import { ToolScope } from "./tool-scope.js";
import { specsOf } from "./tool-specs.js";
import { UserView } from "./user-view.js";

export interface AgentOptions {
  /** Default: `agno-chat`. */
  readonly name?: string;
  readonly model: Model;
  /** Default: a new `InMemory`. */
  readonly memory?: Memory;
  /** What the model is told first, whoever asks. */
  readonly instructions?: string;
  readonly toolkits?: readonly Toolkit[];
  /** The most model calls of one run. Default: 10. */
  readonly maxLoops?: number;
  /** Whose run it is when a call names no user. Default: `default`. */
  readonly userId?: string;
  /** The most history messages a model is sent. Default: all. */
  readonly historyLimit?: number;
  /** When a run of the same user and session is under way. Default: `queue`. */
  readonly onBusy?: OnBusy;
}

export interface RunOptions {
  /** Whose run it is. A key that is there but holds no valid id is refused, since that would mix strangers. */
  readonly userId?: string;
  /** Default: `default`. */
  readonly sessionId?: string | undefined;
  /** Cancels the run wherever it is. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One agent for any number of users. Who asks is an argument of each run; nothing of any user is kept on the agent.
 * Runs of one user and session follow each other in the order of the calls; all others overlap freely.
 */
export class Agent {
  readonly name: string;
  readonly #parts: RunParts;
  readonly #userId: string;
  readonly #onBusy: OnBusy;
  readonly #queue = new RunQueue();

  /** @throws {AgnoChatError} `USAGE` for options that cannot work, `INVALID_USER_ID` */
  constructor(options: AgentOptions) {
    const {
      name = "agno-chat",
      model,
      memory = new InMemory(),
      instructions,
      toolkits = [],
    } = options;
    const {
      maxLoops = 10,
      userId = DEFAULT_USER_ID,
      historyLimit = Infinity,
      onBusy = "queue",
    } = options;
    if (typeof model?.stream !== "function") throw usage("An agent needs a model.");
    if (!Number.isInteger(maxLoops) || maxLoops < 1)
      throw usage(`maxLoops must be 1 or more, not ${maxLoops}.`);
    if (!isCount(historyLimit)) throw usage(`historyLimit must be 0 or more, not ${historyLimit}.`);
    const tools = toolTable(toolkits);
    const toolSpecs = specsOf(tools);
    this.name = name;
    this.#userId = validateUserId(userId);
    this.#onBusy = onBusy;
    const toolScope = new ToolScope();
    this.#parts = {
      model,
      memory,
      instructions,
      tools,
      toolSpecs,
      toolScope,
      maxLoops,
      historyLimit,
    };
  }

  /**
   * One input of one user up to its final answer, stored whole or not at all. An empty reply is no answer and fails with
   * `MODEL_BAD_RESPONSE`, unless it follows tools that have done their work: then `content` is empty.
   * @throws {AgnoChatError} rejects with `INVALID_…`, `BUSY`, `CANCELLED`, `HISTORY_CLEARED`, `MAX_LOOPS`, or what the
   *   model or the memory failed with; nothing is stored then
   */
  run(input: string, options: RunOptions = {}): Promise<RunOutput> {
    const controller = new AbortController();
    return this.#start(input, options, { controller, keepInterrupted: false, emit: ignore });
  }

  /**
   * As `run`, with its events as they happen. It takes its place when called. When it is cancelled after text was
   * shown, that text is stored and marked `interrupted`.
   */
  stream(input: string, options: RunOptions = {}): RunStream {
    const controller = new AbortController();
    return new RunStream(
      (emit) => this.#start(input, options, { controller, keepInterrupted: true, emit }),
      () => controller.abort(cancelled()),
    );
  }

  /** What the model would be sent if this user said something now, but for that something. */
  async context(options: Omit<RunOptions, "signal"> = {}): Promise<ModelRequest> {
    const { userId, sessionId } = this.#whoOf(options);
    const { memory, historyLimit: limit } = this.#parts;
    const snapshot = await memory.read(userId, { sessionId, limit });
    const request = requestOf(this.#parts, snapshot, { current: [], limit });
    return { ...request, messages: request.messages.map(plainMessage) };
  }

  /**
   * The agent as one user sees it.
   * @throws {AgnoChatError} `INVALID_USER_ID`
   */
  forUser(userId: string): UserView {
    return new UserView(this, this.#parts.memory, validateUserId(userId));
  }

  /**
   * Deletes everything of users idle longer than `maxAge` milliseconds, except those with a run under way or waiting.
   */
  async removeInactive(maxAge: number): Promise<DeletedUsers> {
    return this.#parts.memory.removeInactive(maxAge, { except: this.#queue.activeUsers() });
  }

  async #start(input: string, options: RunOptions, how: RunHow): Promise<RunOutput> {
    const who = this.#whoOf(options);
    validateInput(input);
    this.#parts.toolScope.refuseReentry(who);
    const unlink = linkAbort(options.signal, how.controller);
    try {
      return await this.#inTurn(who, how.controller, () =>
        executeRun(this.#parts, {
          ...who,
          ...how,
          signal: how.controller.signal,
          input,
          runId: randomUUID(),
        }),
      );
    } finally {
      unlink();
    }
  }

  async #inTurn<T>(
    { userId, sessionId }: Who,
    controller: AbortController,
    run: () => Promise<T>,
  ): Promise<T> {
    controller.signal.throwIfAborted();
    const place = this.#queue.take(userId, sessionId, controller, this.#onBusy);
    try {
      if (place.turn !== undefined) await place.turn;
      return await run();
    } finally {
      place.leave();
    }
  }

  #whoOf(options: RunOptions): Who {
    const userId = "userId" in options ? validateUserId(options.userId) : this.#userId;
    const { sessionId = DEFAULT_SESSION_ID } = options;
    return { userId, sessionId: validateSessionId(sessionId) };
  }
}

interface Who {
  readonly userId: string;
  readonly sessionId: string;
}

interface RunHow {
  readonly controller: AbortController;
  readonly keepInterrupted: boolean;
  readonly emit: (event: RunEvent) => void;
}

const ignore = (): void => {};

function validateInput(input: unknown): void {
  if (typeof input === "string" && input.trim() !== "") return;
  throw new AgnoChatError("INVALID_INPUT", "The message is empty.", { hint: "Say something." });
}

/** Cancels with the caller's signal, which may be one for any number of runs. Returns how to let go of it. */
function linkAbort(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (signal === undefined) return ignore;
  setMaxListeners(0, signal);
  const onAbort = () => controller.abort(cancelled(signal.reason));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return () => signal.removeEventListener("abort", onAbort);
}

/** A reason of our own, such as a time-out, is kept. */
const cancelled = (reason?: unknown): AgnoChatError =>
  reason instanceof AgnoChatError
    ? reason
    : new AgnoChatError("CANCELLED", "The run was cancelled.", { cause: reason });

const isCount = (value: number): boolean =>
  value === Infinity || (Number.isInteger(value) && value >= 0);

const usage = (message: string): AgnoChatError => new AgnoChatError("USAGE", message);
