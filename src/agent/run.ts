import { setMaxListeners } from "node:events";
import { type Cancellation, untilAborted } from "../abort.js";
import type { AttachedFiles } from "../attachments.js";
import { AgnoChatError, type ErrorCode } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";
import { historyCleared } from "../memory/failures.js";
import type { AddOptions, Awaitable, Memory, Snapshot } from "../memory/memory.js";
import {
  type Contents,
  type FinishReason,
  haveAttachments,
  type Message,
  type NewMessage,
  type StoredMessage,
  type ToolCall,
  type ToolMessage,
} from "../messages.js";
import type { JsonSchema, Model, ModelRequest, ToolSpec } from "../models/model.js";
import { stripUnopenedThoughts } from "../models/think-tags.js";
import { callTool, type ToolTable } from "../tools/call-tool.js";
import { askModel, Reply } from "./ask-model.js";
import { contentsFor } from "./attached-contents.js";
import { checkHistory } from "./check-history.js";
import type { RunEvent, RunOutput } from "./events.js";
import { refuseOtherRun } from "./previous-run.js";
import type { QueueSlot } from "./queue.js";
import { withoutLastRun } from "./replaced-run.js";
import type { ReplySchema } from "./reply-schema.js";
import { requestOf } from "./request.js";
import { admit, type LimitSource, RunAdmission } from "./run-admission.js";
import { RunDraft, sumOfUsage } from "./run-draft.js";
import type { LeaseSource, RunLease } from "./run-lease.js";
import { RunState, type StateChanges } from "./run-state.js";
import { changesOn } from "./state-patch.js";
import { StateView } from "./state-view.js";
import { tokenLimitOf } from "./token-window.js";
import type { ToolScope } from "./tool-scope.js";
import { isTraced, type RunTrace, traceModelCall, traceRun, traceToolCall } from "./tracing.js";
import { halvedCount, modelLimitFor, sentCount } from "./window.js";

/**
 * Attempts to commit. An attempt fails only when another process has committed, so that many
 * writers of one key all succeed in the end.
 */
const MAX_COMMITS = 100;

/** What all runs of an agent share. None of it belongs to a user. */
export interface RunParts {
  readonly agentName: string;
  readonly model: Model;
  readonly memory: Memory;
  /** Undefined if runs of other processes are not waited for. */
  readonly leaseSource: LeaseSource | undefined;
  /** Undefined if nothing is counted. */
  readonly limitSource: LimitSource | undefined;
  readonly instructions: string | undefined;
  readonly tools: ToolTable;
  /** What the model is sent about the tools; undefined without tools. */
  readonly toolSpecs: readonly ToolSpec[] | undefined;
  readonly toolScope: ToolScope;
  readonly maxLoops: number;
  readonly historyLimit: number;
  readonly historyTokens: number;
}

/** What belongs to one run alone. */
export interface RunRequest {
  readonly runId: string;
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly input: string;
  /** Undefined without attachments. */
  readonly files: AttachedFiles | undefined;
  readonly cancellation: Cancellation;
  /** The id of the run that this one replaces. */
  readonly replaceRun: string | undefined;
  /** The id of the run that this one continues. */
  readonly previousRun: string | undefined;
  /** What the reply has to fit. */
  readonly replySchema: JsonSchema | undefined;
  /** When the run is cancelled, store the text it has shown. */
  readonly keepInterrupted: boolean;
  /** Undefined if nobody listens. */
  readonly emit: ((event: RunEvent) => void) | undefined;
  readonly slot: QueueSlot;
}

/**
 * Waits for its turn, reads once, calls the model until it calls no more tools, stores once, and
 * leaves the queue.
 */
export const executeRun = (parts: RunParts, request: RunRequest): Promise<RunOutput> =>
  isTraced() ? executeTraced(parts, request) : executeInTurn(parts, request, undefined);

function executeTraced(parts: RunParts, request: RunRequest): Promise<RunOutput> {
  const { runId, userId, sessionId } = request;
  const { agentName: agent, model } = parts;
  const trace: RunTrace = { runId, userId, sessionId, agent, model: model.name };
  return traceRun(trace, () => executeInTurn(parts, request, trace));
}

/** A run is made when it starts, because what waits is copied by the garbage collector. */
function executeInTurn(
  parts: RunParts,
  request: RunRequest,
  trace: RunTrace | undefined,
): Promise<RunOutput> {
  const { turn } = request.slot;
  const start = () => new Run(parts, request, trace).execute();
  return turn === undefined ? start() : turn.then(start);
}

/** Filled in key by key, since a memory looks at each, and most runs need two of them. */
type MutableAddOptions = { -readonly [Key in keyof AddOptions]: AddOptions[Key] };

/** What a reply has to fit, and how far it is. */
interface Fitting {
  readonly schema: ReplySchema;
  /** Sent after the messages of the run, and never stored: a reply that does not fit, and why. */
  correction: readonly Message[] | undefined;
  /** The reply as JSON. */
  value: unknown;
}

class Run {
  readonly #parts: RunParts;
  readonly #request: RunRequest;
  /** Set when the run begins. */
  #draft!: RunDraft;
  /** Undefined if nobody listens. */
  readonly #trace: RunTrace | undefined;
  /** See `WindowInput.isPlain`. */
  #isPlain = false;
  /** See `HistoryExtent.tokenLimit`. */
  #tokenLimit = Infinity;
  /** See `HistoryExtent.modelLimit`. */
  #modelLimit = Infinity;
  #reply = new Reply();
  #stored: boolean | undefined = false;
  #lease: RunLease | undefined;
  #admission: RunAdmission | undefined;
  #fitting: Fitting | undefined;
  /** `QueueSlot.clears` before the session was read. */
  #clears = 0;
  /** Of the attachments of this run and of its history; undefined if there are none. */
  #contents: Contents | undefined;

  constructor(parts: RunParts, request: RunRequest, trace: RunTrace | undefined) {
    this.#parts = parts;
    this.#request = request;
    this.#trace = trace;
  }

  async execute(): Promise<RunOutput> {
    const { runId, userId, sessionId, slot, cancellation, emit, replySchema } = this.#request;
    const { input, files } = this.#request;
    let snapshot: Snapshot | undefined;
    try {
      cancellation.throwIfAborted();
      const { model, limitSource } = this.#parts;
      this.#draft = new RunDraft(input, model.name, files);
      if (limitSource === undefined) emit?.({ type: "run-start", runId, userId, sessionId });
      if (replySchema !== undefined) await this.#loadSchema(replySchema);
      const read = this.#read();
      snapshot = this.#checked(read instanceof Promise ? await read : read);
      this.#tokenLimit = tokenLimitOf(this.#parts, snapshot);
      // A run that is refused has not started.
      if (limitSource !== undefined) emit?.({ type: "run-start", runId, userId, sessionId });
      if (files !== undefined || (!this.#isPlain && haveAttachments(snapshot.messages)))
        this.#contents = await untilAborted(
          contentsFor(this.#parts.memory, this.#request, snapshot),
          cancellation,
        );
      await this.#callModel(snapshot);
      if (this.#reply.toolCalls.length > 0) await this.#callToolsAndModel(snapshot);
      if (this.#fitting !== undefined) await this.#fitReply(snapshot, this.#fitting);
      this.#finish(snapshot);
      cancellation.throwIfAborted();
      const added = this.#commit(snapshot);
      const messages = added instanceof Promise ? await added : added;
      this.#stored = true;
      if (this.#admission?.isApart) await this.#admission.settle();
      const output = this.#outputOf(messages);
      emit?.({ type: "run-end", output });
      return output;
    } catch (thrown) {
      const failure = await this.#failureOf(thrown, snapshot);
      if (this.#stored !== true) await this.#admission?.settle();
      throw failure;
    } finally {
      this.#admission?.end();
      this.#lease?.end({ isStored: this.#stored === true });
      cancellation.unfollow();
      slot.leave();
    }
  }

  /** What the caller gets. A cancelled run first stores the text it has shown. */
  async #failureOf(thrown: unknown, snapshot: Snapshot | undefined): Promise<unknown> {
    let failure = thrown;
    if (this.#stored === undefined) {
      if (isOvertaken(thrown)) this.#stored = false;
    } else if (this.#request.cancellation.aborted && snapshot !== undefined) {
      failure = (await this.#storeInterrupted(snapshot)) ?? thrown;
    }
    const stored = this.#stored;
    if (stored === undefined || !(failure instanceof AgnoChatError)) return failure;
    return failure.with({ stored });
  }

  #read(): Awaitable<Snapshot> {
    const { memory, leaseSource, limitSource } = this.#parts;
    const { userId, sessionId, cancellation } = this.#request;
    if (leaseSource !== undefined) return this.#takeLease(leaseSource);
    this.#noteClears();
    if (limitSource !== undefined) return this.#admit(limitSource);
    const limit = this.#readLimit();
    const read = memory.read(userId, { sessionId, limit });
    return read instanceof Promise ? untilAborted(read, cancellation) : read;
  }

  #admit(source: LimitSource): Awaitable<Snapshot> {
    const read = admit(source, this.#request, this.#readLimit());
    if (!(read instanceof Promise)) return this.#admitted(source, read);
    return read.then((snapshot) => this.#admitted(source, snapshot));
  }

  #admitted(source: LimitSource, snapshot: Snapshot): Snapshot {
    this.#admission = new RunAdmission(source, this.#request, snapshot.use);
    return snapshot;
  }

  async #takeLease(source: LeaseSource): Promise<Snapshot> {
    const { runId, userId, sessionId, cancellation } = this.#request;
    const { limitSource } = this.#parts;
    const limit = this.#readLimit();
    const admission = limitSource && { runId, limits: limitSource.limits() };
    const onAttempt = () => this.#noteClears();
    const taker = { userId, sessionId, limit, admission, cancellation, onAttempt };
    // Loaded by those who take leases alone.
    const { RunLease } = await import("./run-lease.js");
    this.#lease = await RunLease.take(source, taker);
    const { snapshot } = this.#lease;
    return limitSource === undefined ? snapshot : this.#admitted(limitSource, snapshot);
  }

  /** The previous run is known by its last message. */
  #readLimit(): number {
    const { historyLimit } = this.#parts;
    return this.#request.previousRun === undefined ? historyLimit : Math.max(1, historyLimit);
  }

  #noteClears(): void {
    this.#clears = this.#request.slot.clears;
  }

  /** What was read, as the model is to see it. */
  #checked(snapshot: Snapshot): Snapshot {
    const { replaceRun: runId, previousRun, userId, sessionId } = this.#request;
    const { messages } = snapshot;
    const isPlain = checkHistory(messages, sessionId);
    if (previousRun !== undefined) refuseOtherRun(snapshot, { runId: previousRun, userId });
    if (!isPlain) this.#modelLimit = modelLimitFor(this.#parts.model.name, messages);
    this.#isPlain = isPlain && runId === undefined;
    if (runId === undefined) return snapshot;
    return withoutLastRun(snapshot, { runId, userId, limit: this.#parts.historyLimit });
  }

  /** Calls the tools and then the model, until it calls no more tools. */
  async #callToolsAndModel(snapshot: Snapshot): Promise<void> {
    const state = new RunState(snapshot.state);
    for (let replies = 1; this.#reply.toolCalls.length > 0; replies++) {
      // Tools must not run if the model cannot read their results.
      if (replies === this.#parts.maxLoops) throw tooManyLoops(replies);
      const results = await this.#callTools(state);
      this.#draft.addRound(this.#reply, results, state.changes());
      this.#reply = new Reply();
      await this.#callModel(snapshot);
    }
  }

  async #loadSchema(schema: JsonSchema): Promise<void> {
    const { ReplySchema } = await import("./reply-schema.js");
    this.#fitting = {
      schema: await ReplySchema.of(schema),
      correction: undefined,
      value: undefined,
    };
  }

  /** Asks once more for a reply that does not fit, and tells the model why. */
  async #fitReply(snapshot: Snapshot, fitting: Fitting): Promise<void> {
    const { schema } = fitting;
    const { signal } = this.#request.cancellation;
    let checked = await schema.check(this.#reply, signal);
    if ("fault" in checked) {
      fitting.correction = schema.correctionOf(this.#reply, checked.fault);
      await this.#askAgain(snapshot, checked.fault);
      checked = await schema.check(this.#reply, signal);
    }
    if ("fault" in checked) throw unfitReply(this.#parts.model.name, checked.fault);
    fitting.value = checked.value;
  }

  async #askAgain(snapshot: Snapshot, fault: string): Promise<void> {
    const refused = this.#reply;
    this.#request.emit?.({ type: "reply-refused", reason: fault });
    this.#reply = new Reply();
    await this.#callModel(snapshot);
    this.#reply.usage = sumOfUsage(refused.usage, this.#reply.usage);
  }

  /**
   * Refuses an empty reply, except after tool calls: then the model may have nothing to add, and
   * refusing its reply would discard what the tools changed.
   */
  #finish(snapshot: Snapshot): void {
    const { text, finishReason } = this.#reply;
    const isEmpty = text.trim() === "";
    if (isEmpty && (!this.#draft.usedTools || finishReason === "length"))
      throw emptyReply(this.#parts.model.name, finishReason);
    this.#draft.finish(this.#reply, this.#historySent(snapshot));
  }

  /** Halves the history as often as the request is too long for the model, down to none. */
  #callModel(snapshot: Snapshot): Promise<void> {
    const request = this.#requestFor(snapshot);
    return this.#send(this.#fitting?.schema.asking(request) ?? request).catch((thrown: unknown) => {
      if (!hasCode(thrown, "CONTEXT_TOO_LONG") || !this.#isSilent()) throw thrown;
      this.#shorten(snapshot, thrown);
      return this.#callModel(snapshot);
    });
  }

  #shorten(snapshot: Snapshot, cause: unknown): void {
    const sent = sentCount(this.#extentOf(snapshot));
    if (sent === 0) throw tooLong(this.#parts.model.name, cause);
    this.#modelLimit = halvedCount(snapshot.messages, sent);
    const messages = sentCount(this.#extentOf(snapshot));
    this.#request.emit?.({ type: "history-shortened", messages });
  }

  #requestFor({ messages: history, total }: Snapshot): ModelRequest {
    const { instructions, toolSpecs, historyLimit: limit } = this.#parts;
    const { messages } = this.#draft;
    const correction = this.#fitting?.correction;
    return requestOf({
      instructions,
      toolSpecs,
      history,
      isPlain: this.#isPlain,
      total,
      current: correction === undefined ? messages : [...messages, ...correction],
      limit,
      tokenLimit: this.#tokenLimit,
      modelLimit: this.#modelLimit,
      contents: this.#contents,
    });
  }

  #extentOf({ messages: history, total }: Snapshot) {
    const { historyLimit: limit } = this.#parts;
    const modelLimit = this.#modelLimit;
    return { history, total, limit, tokenLimit: this.#tokenLimit, modelLimit };
  }

  /** `StoredFields.historySent`: undefined if the history did not have to be shortened. */
  #historySent(snapshot: Snapshot): number | undefined {
    if (this.#modelLimit === Infinity) return undefined;
    const extent = this.#extentOf(snapshot);
    const sent = sentCount(extent);
    return sent < sentCount({ ...extent, modelLimit: Infinity }) ? sent : undefined;
  }

  #isSilent(): boolean {
    return this.#reply.text === "" && this.#reply.toolCalls.length === 0;
  }

  #send(request: ModelRequest): Promise<void> {
    const { cancellation, emit } = this.#request;
    const { model } = this.#parts;
    const asking = { reply: this.#reply, cancellation, emit };
    const asked =
      this.#trace === undefined
        ? askModel(model, request, asking)
        : traceModelCall(
            { run: this.#trace, model: model.name },
            { reply: asking.reply, work: () => askModel(model, request, asking) },
          );
    return this.#admission?.count(asked, { request, ...asking }) ?? asked;
  }

  /** Runs the tools in parallel. The results are in the order of the calls. */
  async #callTools(state: RunState): Promise<ToolMessage[]> {
    // Many tools may listen at once: Node must not warn of a leak.
    setMaxListeners(0, this.#request.cancellation.signal);
    return this.#parts.toolScope.run(this.#request, () =>
      Promise.all(this.#reply.toolCalls.map((call) => this.#callTool(call, state))),
    );
  }

  async #callTool(call: ToolCall, runState: RunState): Promise<ToolMessage> {
    const { runId, userId, sessionId, cancellation, emit } = this.#request;
    const { signal } = cancellation;
    const started = performance.now();
    const view = new StateView(runState);
    const { state, update } = view;
    const context = { userId, sessionId, runId, state, update, signal };
    const work = () => callTool(this.#parts.tools, call, context, () => view.settle());
    const result = await (this.#trace === undefined
      ? work()
      : traceToolCall({ run: this.#trace, tool: this.#knownTool(call) }, work)
    ).finally(() => view.end());
    const durationMs = performance.now() - started;
    const { toolCallId, content, isError = false } = result;
    emit?.({ type: "tool-result", toolCallId, name: call.name, content, isError, durationMs });
    return result;
  }

  #knownTool({ name }: ToolCall): string | undefined {
    return this.#parts.tools.has(name) ? name : undefined;
  }

  /** Stores messages and state changes in one step. */
  #commit(snapshot: Snapshot): Awaitable<readonly StoredMessage[]> {
    this.#stored = undefined;
    const messages = this.#draft.messagesOf(this.#request.runId);
    const { changes } = this.#draft;
    return changes === undefined
      ? this.#add(messages, snapshot, undefined)
      : this.#addWithState(messages, snapshot, changes);
  }

  /** The state changes go on top of those that other processes have made meanwhile. */
  async #addWithState(
    messages: readonly NewMessage[],
    snapshot: Snapshot,
    changes: StateChanges,
  ): Promise<readonly StoredMessage[]> {
    const { userId, sessionId } = this.#request;
    const { memory } = this.#parts;
    let stored = snapshot.state;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#add(messages, snapshot, changesOn(stored, changes, snapshot.state));
      } catch (thrown) {
        if (!hasCode(thrown, "STATE_CONFLICT") || attempt === MAX_COMMITS) throw thrown;
      }
      stored = await memory.getState(userId, { sessionId });
    }
  }

  #add(
    messages: readonly NewMessage[],
    { generation }: Snapshot,
    changed: ReturnType<typeof changesOn> | undefined,
  ): Awaitable<readonly StoredMessage[]> {
    const { userId, sessionId, replaceRun, files, slot } = this.#request;
    if (slot.clears > this.#clears) throw historyCleared(userId);
    const options: MutableAddOptions = { sessionId, generation };
    if (changed !== undefined) Object.assign(options, changed);
    if (replaceRun !== undefined) options.replaceRun = replaceRun;
    if (files !== undefined) options.contents = files.contents;
    if (this.#lease !== undefined) options.lease = this.#lease.lease;
    if (this.#admission?.isApart === false) options.spent = this.#admission.spent;
    return this.#parts.memory.add(messages, userId, options);
  }

  /** Returns the failure if it could not be stored. */
  async #storeInterrupted(snapshot: Snapshot): Promise<unknown> {
    const sent = this.#historySent(snapshot);
    // The model was stopped before it could mark its thoughts.
    const shown = stripUnopenedThoughts(this.#reply.text, false);
    if (!this.#request.keepInterrupted || !this.#draft.interrupt(shown, sent)) return undefined;
    try {
      await this.#commit(snapshot);
      this.#stored = true;
    } catch (thrown) {
      if (!isOvertaken(thrown)) return thrown;
      // Then nothing is to be stored, and the caller gets the cancellation.
      this.#stored = false;
    }
    return undefined;
  }

  #outputOf(messages: readonly StoredMessage[]): RunOutput {
    const { runId, userId, sessionId } = this.#request;
    const { text: content, finishReason = "stop" } = this.#reply;
    const { usage } = this.#draft;
    const output = { runId, userId, sessionId, content, finishReason, messages, usage };
    const limits = this.#admission?.use;
    const limited = limits === undefined ? output : { ...output, limits };
    return this.#fitting === undefined ? limited : { ...limited, value: this.#fitting.value };
  }
}

const tooManyLoops = (loops: number) =>
  new AgnoChatError(
    "MAX_LOOPS",
    `The model still called tools after ${loops} ${loops === 1 ? "reply" : "replies"}. Nothing was stored.`,
    { hint: "Ask for less at once, or raise maxLoops." },
  );

const emptyReply = (model: string, finishReason: FinishReason | undefined) =>
  finishReason === "length"
    ? new AgnoChatError(
        "MODEL_BAD_RESPONSE",
        `The model ${model} reached its token limit before it said anything.`,
        { hint: "Ask for less at once, or allow longer replies." },
      )
    : new AgnoChatError("MODEL_BAD_RESPONSE", `The model ${model} sent an empty reply.`, {
        hint: "Send the message again, or rephrase it.",
      });

const unfitReply = (model: string, fault: string) =>
  new AgnoChatError(
    "MODEL_REPLY_UNFIT",
    `The reply of ${model} does not fit the JSON Schema: ${fault}.`,
    { hint: "Use a model that keeps to schemas, or a simpler schema." },
  );

const tooLong = (model: string, cause: unknown) =>
  new AgnoChatError(
    "CONTEXT_TOO_LONG",
    `The message is too long for ${model}, even without any history.`,
    {
      hint: "Send less at once, shorten the instructions, or use a model with a larger context.",
      cause,
    },
  );

const hasCode = (thrown: unknown, code: ErrorCode): boolean =>
  thrown instanceof AgnoChatError && thrown.code === code;

/** Whether the session was cleared or changed meanwhile, so that nothing of the run is stored. */
const isOvertaken = (thrown: unknown): boolean => OVERTAKEN.some((code) => hasCode(thrown, code));

const OVERTAKEN = ["HISTORY_CLEARED", "STATE_CONFLICT", "RUN_CONFLICT", "LEASE_LOST"] as const;
