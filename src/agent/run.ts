import { setMaxListeners } from "node:events";
import { type Cancellation, untilAborted } from "../abort.js";
import { AgnoChatError, type ErrorCode } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";
import { historyCleared } from "../memory/failures.js";
import type { Awaitable, Memory, Snapshot } from "../memory/memory.js";
import type { FinishReason, StoredMessage, ToolCall, ToolMessage } from "../messages.js";
import type { Model, ModelRequest, ToolSpec } from "../models/model.js";
import { stripUnopenedThoughts } from "../models/think-tags.js";
import { callTool, type ToolTable } from "../tools/call-tool.js";
import { askModel, Reply } from "./ask-model.js";
import { checkedSnapshot } from "./check-snapshot.js";
import type { RunEvent, RunOutput } from "./events.js";
import { withoutLastRun } from "./replaced-run.js";
import { requestOf } from "./request.js";
import { RunDraft } from "./run-draft.js";
import { type LeaseSource, RunLease } from "./run-lease.js";
import { RunState } from "./run-state.js";
import { changesOn } from "./state-patch.js";
import { StateView } from "./state-view.js";
import type { ToolScope } from "./tool-scope.js";
import { halvedCount, modelLimitFor, sentCount } from "./window.js";

/**
 * Attempts to commit. An attempt fails only when another process has committed, so that many
 * writers of one key all succeed in the end.
 */
const MAX_COMMITS = 100;

/** What all runs of an agent share. None of it belongs to a user. */
export interface RunParts {
  readonly model: Model;
  readonly memory: Memory;
  /** Undefined if runs of other processes are not waited for. */
  readonly leaseSource: LeaseSource | undefined;
  readonly instructions: string | undefined;
  readonly tools: ToolTable;
  /** What the model is sent about the tools; undefined without tools. */
  readonly toolSpecs: readonly ToolSpec[] | undefined;
  readonly toolScope: ToolScope;
  readonly maxLoops: number;
  readonly historyLimit: number;
}

/** What belongs to one run alone. */
export interface RunRequest {
  readonly runId: string;
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly input: string;
  readonly cancellation: Cancellation;
  /** The id of the run that this one replaces. */
  readonly replaceRun: string | undefined;
  /** When the run is cancelled, store the text it has shown. */
  readonly keepInterrupted: boolean;
  readonly emit: (event: RunEvent) => void;
  /** How often the user or session was cleared through the agent; rises. */
  readonly clears: () => number;
}

/** Reads once, calls the model until it calls no more tools, and stores once. */
export const executeRun = (parts: RunParts, request: RunRequest): Promise<RunOutput> =>
  new Run(parts, request).execute();

class Run {
  readonly #parts: RunParts;
  readonly #request: RunRequest;
  readonly #draft: RunDraft;
  /** See `HistoryExtent.modelLimit`. */
  #modelLimit = Infinity;
  #reply = new Reply();
  #stored: boolean | undefined = false;
  #lease: RunLease | undefined;
  /** `RunRequest.clears` before the session was read. */
  #clears = 0;

  constructor(parts: RunParts, request: RunRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#draft = new RunDraft(request.input, parts.model.name);
  }

  async execute(): Promise<RunOutput> {
    const { runId, userId, sessionId, emit } = this.#request;
    emit({ type: "run-start", runId, userId, sessionId });
    try {
      const output = this.#outputOf(await this.#answer());
      emit({ type: "run-end", output });
      return output;
    } catch (thrown) {
      const stored = this.#stored;
      if (stored === undefined || !(thrown instanceof AgnoChatError)) throw thrown;
      throw thrown.with({ stored });
    } finally {
      this.#lease?.end({ isStored: this.#stored === true });
    }
  }

  async #answer(): Promise<readonly StoredMessage[]> {
    const { sessionId, cancellation } = this.#request;
    cancellation.throwIfAborted();
    const snapshot = this.#withoutReplacedRun(checkedSnapshot(await this.#read(), sessionId));
    this.#modelLimit = modelLimitFor(this.#parts.model.name, snapshot.messages);
    try {
      await this.#converse(snapshot);
      cancellation.throwIfAborted();
    } catch (thrown) {
      if (cancellation.aborted) await this.#storeInterrupted(snapshot);
      throw thrown;
    }
    return this.#commit(snapshot);
  }

  #read(): Awaitable<Snapshot> {
    const { memory, historyLimit: limit, leaseSource } = this.#parts;
    const { userId, sessionId, cancellation } = this.#request;
    if (leaseSource !== undefined) return this.#takeLease(leaseSource);
    this.#noteClears();
    const snapshot = memory.read(userId, { sessionId, limit });
    return snapshot instanceof Promise ? untilAborted(snapshot, cancellation) : snapshot;
  }

  async #takeLease(source: LeaseSource): Promise<Snapshot> {
    const { userId, sessionId, cancellation } = this.#request;
    const { historyLimit: limit } = this.#parts;
    const onAttempt = () => this.#noteClears();
    const taker = { userId, sessionId, limit, cancellation, onAttempt };
    this.#lease = await RunLease.take(source, taker);
    return this.#lease.snapshot;
  }

  #noteClears(): void {
    this.#clears = this.#request.clears();
  }

  #withoutReplacedRun(snapshot: Snapshot): Snapshot {
    const { replaceRun: runId, userId } = this.#request;
    if (runId === undefined) return snapshot;
    return withoutLastRun(snapshot, { runId, userId, limit: this.#parts.historyLimit });
  }

  async #converse(snapshot: Snapshot): Promise<void> {
    let state: RunState | undefined;
    for (let loop = 1; ; loop++) {
      await this.#callModel(snapshot);
      if (this.#reply.toolCalls.length === 0) return this.#finish(loop, snapshot);
      // Tools must not run if the model cannot read their results.
      if (loop === this.#parts.maxLoops) throw tooManyLoops(loop);
      state ??= new RunState(snapshot.state);
      const results = await this.#callTools(state);
      this.#draft.addRound(this.#reply, results, state.changes());
      this.#reply = new Reply();
    }
  }

  /**
   * Refuses an empty reply, except after tool calls: then the model may have nothing to add, and
   * refusing its reply would discard what the tools changed.
   */
  #finish(loop: number, snapshot: Snapshot): void {
    const { text, finishReason } = this.#reply;
    const isEmpty = text.trim() === "";
    if (isEmpty && (loop === 1 || finishReason === "length"))
      throw emptyReply(this.#parts.model.name, finishReason);
    this.#draft.finish(this.#reply, this.#historySent(snapshot));
  }

  /** Halves the history as often as the request is too long for the model, down to none. */
  async #callModel(snapshot: Snapshot): Promise<void> {
    for (;;) {
      try {
        return await this.#send(this.#requestFor(snapshot));
      } catch (thrown) {
        if (!hasCode(thrown, "CONTEXT_TOO_LONG") || !this.#isSilent()) throw thrown;
        const sent = sentCount(this.#extentOf(snapshot));
        if (sent === 0) throw tooLong(this.#parts.model.name, thrown);
        this.#modelLimit = halvedCount(snapshot.messages, sent);
        const messages = sentCount(this.#extentOf(snapshot));
        this.#request.emit({ type: "history-shortened", messages });
      }
    }
  }

  #requestFor(snapshot: Snapshot): ModelRequest {
    const { limit, modelLimit } = this.#extentOf(snapshot);
    const current = this.#draft.messages;
    return requestOf(this.#parts, snapshot, { current, limit, modelLimit });
  }

  #extentOf({ messages: history, total }: Snapshot) {
    const { historyLimit: limit } = this.#parts;
    return { history, total, limit, modelLimit: this.#modelLimit };
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
    return askModel(this.#parts.model, request, { reply: this.#reply, cancellation, emit });
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
    const result = await callTool(this.#parts.tools, call, context, () => view.settle());
    const durationMs = performance.now() - started;
    const { toolCallId, content, isError = false } = result;
    emit({ type: "tool-result", toolCallId, name: call.name, content, isError, durationMs });
    return result;
  }

  async #commit(snapshot: Snapshot): Promise<readonly StoredMessage[]> {
    try {
      this.#stored = undefined;
      const stored = await this.#add(snapshot);
      this.#stored = true;
      return stored;
    } catch (thrown) {
      if (isOvertaken(thrown)) this.#stored = false;
      throw thrown;
    }
  }

  /** Stores messages and state changes in one step, on top of changes by other processes. */
  async #add({ state: base, generation }: Snapshot): Promise<readonly StoredMessage[]> {
    const { memory } = this.#parts;
    const { runId, userId, sessionId, replaceRun, clears } = this.#request;
    const lease = this.#lease && { lease: this.#lease.lease };
    const messages = this.#draft.messages.map((message) => ({ ...message, runId }));
    const { changes } = this.#draft;
    let stored = base;
    for (let attempt = 1; ; attempt++) {
      if (clears() > this.#clears) throw historyCleared(userId);
      const changed = changes && changesOn(stored, changes, base);
      try {
        return await memory.add(messages, userId, {
          sessionId,
          ...changed,
          replaceRun,
          generation,
          ...lease,
        });
      } catch (thrown) {
        if (!hasCode(thrown, "STATE_CONFLICT") || attempt === MAX_COMMITS) throw thrown;
      }
      stored = await memory.getState(userId, { sessionId });
    }
  }

  async #storeInterrupted(snapshot: Snapshot): Promise<void> {
    const { keepInterrupted } = this.#request;
    const sent = this.#historySent(snapshot);
    // The model was stopped before it could mark its thoughts.
    const shown = stripUnopenedThoughts(this.#reply.text, false);
    if (!keepInterrupted || !this.#draft.interrupt(shown, sent)) return;
    try {
      await this.#commit(snapshot);
    } catch (thrown) {
      // Then nothing is to be stored, and the caller gets the cancellation.
      if (!isOvertaken(thrown)) throw thrown;
    }
  }

  #outputOf(messages: readonly StoredMessage[]): RunOutput {
    const { runId, userId, sessionId } = this.#request;
    const { text: content, finishReason = "stop" } = this.#reply;
    return { runId, userId, sessionId, content, finishReason, messages, usage: this.#draft.usage };
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
