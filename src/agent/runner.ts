import { setMaxListeners } from "node:events";
import { type Abortable, Cancellation } from "../abort.js";
import { type AttachedFiles, attachedFiles, type NewAttachment } from "../attachments.js";
import { AgnoChatError } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";
import { sessionIdOf } from "../memory/arguments.js";
import { noAttachments, noEdits } from "../memory/failures.js";
import type { Awaitable, Deleted, Edits } from "../memory/memory.js";
import { type Contents, haveAttachments, type Message } from "../messages.js";
import type { JsonSchema } from "../models/model.js";
import type { KnownKeys } from "../options.js";
import { newRunId } from "../run-id.js";
import { contentsFor } from "./attached-contents.js";
import { checkHistory } from "./check-history.js";
import { detachedParts } from "./detached.js";
import type { RunEvent, RunOutput } from "./events.js";
import { type NextRequest, nextRequest } from "./next-request.js";
import { type OnBusy, RunQueue } from "./queue.js";
import { executeRun, type RunParts, type RunRequest } from "./run.js";
import { RunStream } from "./run-stream.js";

/** Options of a run besides its user and its input. */
export interface UserRunOptions {
  /** Default: `default`. */
  readonly sessionId?: string | undefined;
  /** Cancels the run, whether it is waiting or under way. */
  readonly signal?: Abortable | undefined;
  /**
   * The id of the run to replace, which must be the last of the session; `RUN_CONFLICT` otherwise.
   * The model is not sent the old run, which is deleted when the new one is stored. A run that
   * fails or is cancelled leaves the old one in place. Changes that the tools of the old run made,
   * to the session state or elsewhere, stay.
   */
  readonly replaceRun?: string | undefined;
  /**
   * The id of the run to continue, which must be the last of the session; `RUN_CONFLICT` otherwise,
   * and the model is not called.
   */
  readonly previousRun?: string | undefined;
  /**
   * A JSON Schema that the reply has to fit: then `value` of the output is the reply as JSON. The
   * model is told what does not fit, and asked once more; `MODEL_REPLY_UNFIT` and nothing stored if
   * that does not help. Nothing of a cancelled run is stored either.
   */
  readonly replySchema?: JsonSchema | undefined;
  /**
   * Files for the model: text, or pictures if it can look at them. They are stored with the message
   * and sent again with it, for as long as the history that the model is sent holds it.
   * `INVALID_INPUT` for what is neither, or too large.
   */
  readonly attachments?: readonly NewAttachment[] | undefined;
}

export const RUN_KEYS: KnownKeys<UserRunOptions> = {
  sessionId: true,
  signal: true,
  replaceRun: true,
  previousRun: true,
  replySchema: true,
  attachments: true,
};

/** Starts runs of any user on shared parts, one at a time per user and session. */
export class Runner {
  readonly parts: RunParts;
  readonly #onBusy: OnBusy;
  readonly #queue: RunQueue;

  constructor(parts: RunParts, { onBusy, queue = new RunQueue() }: RunnerOptions) {
    this.parts = parts;
    this.#onBusy = onBusy;
    this.#queue = queue;
  }

  /** The same with more instructions, in the same queue: a session has one run at a time. */
  instructed(more: string | undefined): Runner {
    if (!more) return this;
    const { instructions } = this.parts;
    const all = instructions ? `${instructions}\n\n${more}` : more;
    return new Runner(
      { ...this.parts, instructions: all },
      { onBusy: this.#onBusy, queue: this.#queue },
    );
  }

  /** The same on a conversation of this user that is kept nowhere. */
  detached(userId: UserId, messages: readonly Message[], contents?: Contents): Runner {
    const parts = detachedParts(this.parts, userId, { messages, contents });
    return new Runner(parts, { onBusy: this.#onBusy });
  }

  run(userId: UserId, input: string, options: UserRunOptions): Promise<RunOutput> {
    const cancellation = new Cancellation();
    return this.#start(userId, input, {
      cancellation,
      keepInterrupted: false,
      emit: undefined,
      options,
    });
  }

  stream(userId: UserId, input: string, options: UserRunOptions): RunStream {
    const cancellation = new Cancellation();
    return new RunStream(
      (emit) => this.#start(userId, input, { cancellation, keepInterrupted: true, emit, options }),
      () => cancellation.abort(cancelled()),
    );
  }

  async context(userId: UserId, sessionId: SessionId): Promise<NextRequest> {
    const { memory, historyLimit: limit } = this.parts;
    const snapshot = await memory.read(userId, { sessionId, limit });
    checkHistory(snapshot.messages, sessionId);
    const contents = haveAttachments(snapshot.messages)
      ? await contentsFor(memory, { userId, files: undefined }, snapshot)
      : undefined;
    const stored = await memory.size(userId, { sessionId });
    return nextRequest(this.parts, { snapshot, contents, stored });
  }

  /**
   * As `memory.clear`. A run under way stores nothing. It is told before the memory is, because the
   * memory cannot stop the first run of a session, of which nothing is stored yet.
   */
  async clear(userId: UserId, sessionId: SessionId | undefined): Promise<Deleted> {
    this.#queue.clear(userId, sessionId);
    return this.parts.memory.clear(userId, { sessionId });
  }

  /** Changes a session once the runs that began before are done. */
  async edit<T>(
    userId: UserId,
    sessionId: SessionId,
    work: (edits: Edits) => Awaitable<T>,
  ): Promise<T> {
    const { memory, toolScope } = this.parts;
    if (memory.edits === undefined) throw noEdits();
    toolScope.refuseReentry({ userId, sessionId });
    const cancellation = new Cancellation();
    const slot = this.#queue.join(userId, sessionId, cancellation, "queue");
    try {
      await slot.turn;
      cancellation.throwIfAborted();
      return await work(memory.edits);
    } finally {
      slot.leave();
    }
  }

  /** Users with a run under way or waiting. */
  activeUsers(): ReadonlySet<string> {
    return this.#queue.activeUsers();
  }

  /** Not an async function, which would cost one more promise. Never throws. */
  #start(userId: UserId, input: string, start: StartOptions): Promise<RunOutput> {
    let request: RunRequest | undefined;
    try {
      request = this.#requestOf(userId, input, start);
      return executeRun(this.parts, request);
    } catch (thrown) {
      start.cancellation.unfollow();
      request?.slot.leave();
      return Promise.reject(thrown);
    }
  }

  /** Validates the values of the options, whose keys are known, and joins the queue. */
  #requestOf(
    userId: UserId,
    input: string,
    { options, cancellation, keepInterrupted, emit }: StartOptions,
  ): RunRequest {
    const sessionId = sessionIdOf(options);
    const { replaceRun, previousRun, replySchema, signal, attachments } = options;
    validateInput(input);
    const files = attachments && this.#filesOf(attachments);
    this.parts.toolScope.refuseReentry({ userId, sessionId });
    if (signal !== undefined) {
      follow(signal, cancellation);
      cancellation.throwIfAborted();
    }
    return {
      runId: newRunId(),
      userId,
      sessionId,
      input,
      files,
      cancellation,
      replaceRun,
      previousRun,
      replySchema,
      // An interrupted reply must not replace a whole one, nor pass for one that fits.
      keepInterrupted: keepInterrupted && replaceRun === undefined && replySchema === undefined,
      emit,
      slot: this.#queue.join(userId, sessionId, cancellation, this.#onBusy),
    };
  }

  /** Undefined without any. */
  #filesOf(attachments: readonly NewAttachment[]): AttachedFiles | undefined {
    const files = attachedFiles(attachments);
    if (files.attachments.length === 0) return undefined;
    if (this.parts.memory.attachments === undefined) throw noAttachments();
    return files;
  }
}

interface RunnerOptions {
  readonly onBusy: OnBusy;
  /** Default: one of its own. */
  readonly queue?: RunQueue;
}

interface StartOptions {
  readonly cancellation: Cancellation;
  readonly keepInterrupted: boolean;
  readonly emit: ((event: RunEvent) => void) | undefined;
  readonly options: UserRunOptions;
}

function validateInput(input: unknown): void {
  if (typeof input === "string" && input.trim() !== "") return;
  throw new AgnoChatError("INVALID_INPUT", "The message is empty.", { hint: "Say something." });
}

/** Cancels the run when the caller's signal aborts. Many runs may share that signal. */
function follow(signal: Abortable, cancellation: Cancellation): void {
  if (!(signal instanceof Cancellation || typeof signal?.addEventListener === "function"))
    throw new AgnoChatError("USAGE", "The signal of a run is not an AbortSignal.", {
      hint: "Give it controller.signal, not the controller.",
    });
  if (signal instanceof AbortSignal) setMaxListeners(0, signal);
  cancellation.follow(signal, cancelled);
}

/** Keeps an error of ours, such as a time-out, as it is. */
const cancelled = (reason?: unknown): AgnoChatError =>
  reason instanceof AgnoChatError
    ? reason
    : new AgnoChatError("CANCELLED", "The run was cancelled.", { cause: reason });
