import { setMaxListeners } from "node:events";
import { untilAborted } from "../abort.js";
import { AgnoChatError, type ErrorCode } from "../errors.js";
import { historyCleared } from "../memory/failures.js";
import type { Awaitable, Memory, Snapshot } from "../memory/memory.js";
import type { FinishReason, StoredMessage, ToolCall, ToolMessage } from "../messages.js";
import type { Model, ModelRequest, ToolSpec } from "../models/model.js";
import { stripUnopenedThoughts } from "../models/think-tags.js";
import { callTool, type ToolTable } from "../tools/call-tool.js";
import { askModel, Reply } from "./ask-model.js";
import { checkedSnapshot } from "./check-snapshot.js";
import type { RunEvent, RunOutput } from "./events.js";
import { beforeRun } from "./replaced-run.js";
import { requestOf } from "./request.js";
import { RunDraft } from "./run-draft.js";
import { RunState } from "./run-state.js";
import { changesOn } from "./state-patch.js";
import { StateView } from "./state-view.js";
import type { ToolScope } from "./tool-scope.js";
import { halfOf, mostFor, sentOf } from "./window.js";

/** Each one that fails means that another process has stored something, so that those who change one key all get through. */
const MAX_COMMITS = 100;

/** What every run of an agent shares; none of it is of any user. */
export interface RunParts {
  readonly model: Model;
  readonly memory: Memory;
  readonly instructions: string | undefined;
  readonly tools: ToolTable;
  /** As the model is told of them; undefined when there are none. */
  readonly toolSpecs: readonly ToolSpec[] | undefined;
  readonly toolScope: ToolScope;
  readonly maxLoops: number;
  readonly historyLimit: number;
}

/** What is of this run alone. */
export interface RunRequest {
  readonly runId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly input: string;
  readonly signal: AbortSignal;
  /** The run whose place it takes. */
  readonly replaceRun: string | undefined;
  /** Store what was shown when the run is cancelled. */
  readonly keepInterrupted: boolean;
  readonly emit: (event: RunEvent) => void;
  /** Whether its user or session was cleared through the agent since the run began. */
  readonly isCleared: () => boolean;
}

/** One run: read once, ask the model until it calls no more tools, store once. */
export async function executeRun(parts: RunParts, request: RunRequest): Promise<RunOutput> {
  const run = new Run(parts, request);
  try {
    return await run.execute();
  } catch (thrown) {
    const { stored } = run;
    if (stored === undefined || !(thrown instanceof AgnoChatError)) throw thrown;
    throw thrown.with({ stored });
  }
}

class Run {
  readonly #parts: RunParts;
  readonly #request: RunRequest;
  readonly #draft: RunDraft;
  /** The most history messages that fit the model, as far as is known. */
  #most = Infinity;
  #reply = new Reply();
  #stored: boolean | undefined = false;

  constructor(parts: RunParts, request: RunRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#draft = new RunDraft(request.input, parts.model.name);
  }

  /** Whether anything of this run is stored, as far as it is known. */
  get stored(): boolean | undefined {
    return this.#stored;
  }

  async execute(): Promise<RunOutput> {
    const { runId, userId, sessionId, signal, emit } = this.#request;
    emit({ type: "run-start", runId, userId, sessionId });
    signal.throwIfAborted();
    const snapshot = this.#before(checkedSnapshot(await this.#read(), sessionId));
    this.#most = mostFor(this.#parts.model.name, snapshot.messages);
    try {
      await this.#converse(snapshot);
      signal.throwIfAborted();
    } catch (thrown) {
      if (signal.aborted) await this.#storeInterrupted(snapshot);
      throw thrown;
    }
    const output = this.#outputOf(await this.#commit(snapshot));
    emit({ type: "run-end", output });
    return output;
  }

  #read(): Awaitable<Snapshot> {
    const { memory, historyLimit: limit } = this.#parts;
    const { userId, sessionId, signal } = this.#request;
    const snapshot = memory.read(userId, { sessionId, limit });
    return snapshot instanceof Promise ? untilAborted(snapshot, signal) : snapshot;
  }

  /** The session without the run whose place this one takes. */
  #before(snapshot: Snapshot): Snapshot {
    const { replaceRun: runId, userId } = this.#request;
    if (runId === undefined) return snapshot;
    return beforeRun(snapshot, { runId, userId, limit: this.#parts.historyLimit });
  }

  async #converse(snapshot: Snapshot): Promise<void> {
    let state: RunState | undefined;
    for (let loop = 1; ; loop++) {
      await this.#ask(snapshot);
      if (this.#reply.toolCalls.length === 0) return this.#finish(loop, snapshot);
      // No tool does its work when nobody is left to read the result.
      if (loop === this.#parts.maxLoops) throw tooManyLoops(loop);
      state ??= new RunState(snapshot.state);
      const results = await this.#callTools(state);
      this.#draft.addRound(this.#reply, results, state.changes());
      this.#reply = new Reply();
    }
  }

  /**
   * An empty reply is no answer. Only behind tools that have done their work may a model have nothing to add: refusing
   * that would undo what they changed.
   */
  #finish(loop: number, snapshot: Snapshot): void {
    const { text, finishReason } = this.#reply;
    const isEmpty = text.trim() === "";
    if (isEmpty && (loop === 1 || finishReason === "length"))
      throw emptyReply(this.#parts.model.name, finishReason);
    this.#draft.finish(this.#reply, this.#historySent(snapshot));
  }

  /** A prompt that is too long for the model is sent again with half of its history, down to none. */
  async #ask(snapshot: Snapshot): Promise<void> {
    for (;;) {
      try {
        return await this.#send(this.#requestFor(snapshot));
      } catch (thrown) {
        if (!hasCode(thrown, "CONTEXT_TOO_LONG") || !this.#isSilent()) throw thrown;
        const sent = sentOf(this.#extentOf(snapshot));
        if (sent === 0) throw tooLong(this.#parts.model.name, thrown);
        this.#most = halfOf(snapshot.messages, sent);
        const messages = sentOf(this.#extentOf(snapshot));
        this.#request.emit({ type: "history-shortened", messages });
      }
    }
  }

  #requestFor(snapshot: Snapshot): ModelRequest {
    const { limit, most } = this.#extentOf(snapshot);
    return requestOf(this.#parts, snapshot, { current: this.#draft.messages, limit, most });
  }

  #extentOf({ messages: history, total }: Snapshot) {
    return { history, total, limit: this.#parts.historyLimit, most: this.#most };
  }

  /** What to remember of how much was sent: nothing when it was as much as the limit allows. */
  #historySent(snapshot: Snapshot): number | undefined {
    if (this.#most === Infinity) return undefined;
    const extent = this.#extentOf(snapshot);
    const sent = sentOf(extent);
    return sent < sentOf({ ...extent, most: Infinity }) ? sent : undefined;
  }

  #isSilent(): boolean {
    return this.#reply.text === "" && this.#reply.toolCalls.length === 0;
  }

  #send(request: ModelRequest): Promise<void> {
    const { signal, emit } = this.#request;
    return askModel(this.#parts.model, request, { reply: this.#reply, signal, emit });
  }

  /** In parallel; the results are in the order of the calls. */
  async #callTools(state: RunState): Promise<ToolMessage[]> {
    // Any number of tools may listen to it at once without Node warning of a leak.
    setMaxListeners(0, this.#request.signal);
    return this.#parts.toolScope.run(this.#request, () =>
      Promise.all(this.#reply.toolCalls.map((call) => this.#callTool(call, state))),
    );
  }

  async #callTool(call: ToolCall, runState: RunState): Promise<ToolMessage> {
    const { runId, userId, sessionId, signal, emit } = this.#request;
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

  /** Stores messages and state changes at once; when others changed the same keys, on top of theirs. */
  async #add({ state: base, generation }: Snapshot): Promise<readonly StoredMessage[]> {
    const { memory } = this.#parts;
    const { runId, userId, sessionId, replaceRun, isCleared } = this.#request;
    const messages = this.#draft.messages.map((message) => ({ ...message, runId }));
    const { changes } = this.#draft;
    let stored = base;
    for (let attempt = 1; ; attempt++) {
      if (isCleared()) throw historyCleared(userId);
      const changed = changes && changesOn(stored, changes, base);
      try {
        return await memory.add(messages, userId, {
          sessionId,
          ...changed,
          replaceRun,
          generation,
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
    // The model was stopped before it could tell its thoughts from its answer.
    const shown = stripUnopenedThoughts(this.#reply.text, false);
    if (!keepInterrupted || !this.#draft.interrupt(shown, sent)) return;
    try {
      await this.#commit(snapshot);
    } catch (thrown) {
      // Then nothing is to be kept, and the cancel is what the caller hears of.
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
    `The model still called tools after ${loops} ${loops === 1 ? "reply" : "replies"}; nothing was stored.`,
    { hint: "Ask for less at once, or raise maxLoops." },
  );

const emptyReply = (model: string, finishReason: FinishReason | undefined) =>
  finishReason === "length"
    ? new AgnoChatError(
        "MODEL_BAD_RESPONSE",
        `The model ${model} reached its token limit before it said anything.`,
        { hint: "Ask for less at once, or allow more tokens for an answer." },
      )
    : new AgnoChatError("MODEL_BAD_RESPONSE", `The model ${model} sent an empty reply.`, {
        hint: "Send the message again, or put it in other words.",
      });

const tooLong = (model: string, cause: unknown) =>
  new AgnoChatError(
    "CONTEXT_TOO_LONG",
    `The message is too long for ${model}, even without the conversation before it.`,
    {
      hint: "Send less at once, shorten the instructions, or use a model with a larger context.",
      cause,
    },
  );

const hasCode = (thrown: unknown, code: ErrorCode): boolean =>
  thrown instanceof AgnoChatError && thrown.code === code;

/** What it continues was cleared or changed in the meantime, so that nothing of it is stored. */
const isOvertaken = (thrown: unknown): boolean => OVERTAKEN.some((code) => hasCode(thrown, code));

const OVERTAKEN = ["HISTORY_CLEARED", "STATE_CONFLICT", "RUN_CONFLICT"] as const;
