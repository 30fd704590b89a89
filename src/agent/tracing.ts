import type { TracingChannel } from "node:diagnostics_channel";
import { asAgnoChatError, type ErrorCode } from "../errors.js";
import type { FinishReason, ToolMessage, Usage } from "../messages.js";
import type { RunOutput } from "./events.js";

/** How something ended that took time. Set before `asyncStart` and `error` are published. */
interface TraceEnd {
  /** From `start` to the end, in milliseconds. */
  durationMs?: number;
  /** Why it failed. */
  errorCode?: ErrorCode;
}

/** How a model ended a reply, or the last reply of a run. */
interface ReplyEnd extends TraceEnd {
  finishReason?: FinishReason | undefined;
  /** Of a run: the sum of its model calls. */
  usage?: Usage | undefined;
}

/**
 * The subject of the events on `tracingChannel("agno-chat:run")`. A run starts when it is asked
 * for: `durationMs` includes waiting for the run before it. Never a text.
 */
export interface RunTrace extends ReplyEnd {
  readonly runId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** The agent's name. */
  readonly agent: string;
  readonly model: string;
}

/** The subject of the events on `tracingChannel("agno-chat:model-call")`. Never a text. */
export interface ModelCallTrace extends ReplyEnd {
  /** The very object that the events of the run carry. */
  readonly run: RunTrace;
  readonly model: string;
}

/** The subject of the events on `tracingChannel("agno-chat:tool-call")`. Never a text. */
export interface ToolCallTrace extends TraceEnd {
  /** The very object that the events of the run carry. */
  readonly run: RunTrace;
  /** Undefined if the model called a tool that does not exist: that name is the model's text. */
  readonly tool: string | undefined;
  /** The tool failed, and the model was told so. */
  isError?: boolean;
}

interface Channels {
  readonly run: TracingChannel<unknown, RunTrace>;
  readonly modelCall: TracingChannel<unknown, ModelCallTrace>;
  readonly toolCall: TracingChannel<unknown, ToolCallTrace>;
}

let opened: Channels | undefined;

/** Loads Node's module with the first run: as an import it would slow down every start. */
function channels(): Channels {
  if (opened !== undefined) return opened;
  const { tracingChannel } = process.getBuiltinModule("node:diagnostics_channel");
  opened = {
    run: tracingChannel("agno-chat:run"),
    modelCall: tracingChannel("agno-chat:model-call"),
    toolCall: tracingChannel("agno-chat:tool-call"),
  };
  return opened;
}

/** Whether anybody listens. Nothing is to be done for a run while nobody does. */
export function isTraced(): boolean {
  const { run, modelCall, toolCall } = channels();
  return run.hasSubscribers || modelCall.hasSubscribers || toolCall.hasSubscribers;
}

export const traceRun = (trace: RunTrace, work: () => Promise<RunOutput>): Promise<RunOutput> =>
  traced(channels().run, trace, async () => {
    const output = await work();
    trace.finishReason = output.finishReason;
    trace.usage = output.usage;
    return output;
  });

export const traceModelCall = (
  trace: ModelCallTrace,
  { reply, work }: { readonly reply: ReplyEnd; readonly work: () => Promise<void> },
): Promise<void> =>
  traced(channels().modelCall, trace, async () => {
    await work();
    trace.finishReason = reply.finishReason;
    trace.usage = reply.usage;
  });

export const traceToolCall = (
  trace: ToolCallTrace,
  work: () => Promise<ToolMessage>,
): Promise<ToolMessage> =>
  traced(channels().toolCall, trace, async () => {
    const result = await work();
    trace.isError = result.isError === true;
    return result;
  });

/**
 * Does the work and publishes its course. Not `tracePromise`, which would publish the result and
 * the error, and texts with them.
 */
function traced<Trace extends TraceEnd, Result>(
  channel: TracingChannel<unknown, Trace>,
  trace: Trace,
  work: () => Promise<Result>,
): Promise<Result> {
  const { start, end, asyncStart, asyncEnd, error } = channel;
  const started = performance.now();
  const observed = async (): Promise<Result> => {
    try {
      return await work();
    } catch (thrown) {
      trace.errorCode = asAgnoChatError(thrown).code;
      throw thrown;
    } finally {
      trace.durationMs = performance.now() - started;
      if (trace.errorCode !== undefined) error.publish(trace);
      asyncStart.publish(trace);
      asyncEnd.publish(trace);
    }
  };
  return start.runStores(trace, () => {
    const result = observed();
    end.publish(trace);
    return result;
  });
}
