import { limitTime, untilAborted } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import { type ToolCall, type ToolMessage, toolMessage } from "../messages.js";
import { singleLine } from "../sanitise.js";
import { checkedTool } from "./define-tool.js";
import { checkJson } from "./json-schema.js";
import { jsonText } from "./result-json.js";
import { stoppableCheck } from "./stoppable-check.js";
import type { Tool, ToolContext, Toolkit } from "./tool.js";

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_ERROR_LENGTH = 500;
const MAX_RESULT_LENGTH = 100_000;

export type ToolTable = ReadonlyMap<string, Tool>;

/**
 * Collects the tools of all toolkits by name.
 * @throws {AgnoChatError} `USAGE` for two tools of one name, or an invalid tool
 */
export function toolTable(toolkits: readonly Toolkit[]): ToolTable {
  const table = new Map<string, Tool>();
  const names = toolkits.map(({ name }) => name).join(", ");
  for (const tool of toolkits.flatMap(({ tools }) => tools)) {
    if (table.has(tool.name))
      throw new AgnoChatError("USAGE", `There are two tools named ${JSON.stringify(tool.name)}.`, {
        hint: `Rename one of them. The toolkits are: ${names}.`,
      });
    table.set(tool.name, checkedTool(tool));
  }
  return table;
}

/**
 * Runs the tool call of a model. Any failure (an unknown tool, bad arguments, a throw, a time-out)
 * becomes a message with `isError` that the model can read. Rejects only when the run is cancelled,
 * at once and with its signal's reason, even if the tool ignores the signal.
 * @param onAnswer Called in the tick in which the tool returns or throws. What it throws becomes
 *   the failure of the call.
 */
export async function callTool(
  table: ToolTable,
  call: ToolCall,
  context: ToolContext,
  onAnswer: () => void = () => {},
): Promise<ToolMessage> {
  try {
    context.signal.throwIfAborted();
    const tool = toolNamed(table, call.name);
    return toolMessage(call.id, resultText(await execute(tool, call, { context, onAnswer })));
  } catch (thrown) {
    if (context.signal.aborted) throw context.signal.reason;
    return toolMessage(call.id, errorText(thrown), true);
  }
}

function toolNamed(table: ToolTable, name: string): Tool {
  const tool = table.get(name);
  if (tool) return tool;
  const known = [...table.keys()].join(", ") || "none";
  throw new Error(
    `There is no tool named ${JSON.stringify(name.slice(0, 64))}. Available tools: ${known}.`,
  );
}

/** Gives up when the tool's time is over or the run is cancelled. */
async function execute(
  tool: Tool,
  call: ToolCall,
  { context, onAnswer }: { readonly context: ToolContext; readonly onAnswer: () => void },
): Promise<unknown> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = tool;
  const limit = limitTime(context.signal, timeoutMs, () => tooSlow(tool, timeoutMs));
  const { signal } = limit;
  const work = async () => {
    const args = await argumentsFor(tool, call, context.signal);
    try {
      const answer = tool.execute(args, { ...context, signal });
      return isThenable(answer) ? await answer : answer;
    } finally {
      onAnswer();
    }
  };
  try {
    return await untilAborted(work(), signal);
  } finally {
    limit.end();
  }
}

const tooSlow = ({ name }: Tool, timeoutMs: number): Error =>
  new Error(`${name} did not answer within ${timeoutMs / 1000} s.`);

const isThenable = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof (answer as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";

async function argumentsFor(tool: Tool, call: ToolCall, signal: AbortSignal): Promise<unknown> {
  const args = parsedJson(call.arguments);
  try {
    if (tool.parse) return await stoppableCheck(() => tool.parse?.(args), signal);
    await checkJson(tool.parameters, args, signal);
    return args;
  } catch (thrown) {
    throw new Error(`The arguments do not fit: ${messageOf(thrown)}`);
  }
}

function parsedJson(text: string): unknown {
  try {
    return text.trim() === "" ? {} : JSON.parse(text, withoutPrototype);
  } catch (thrown) {
    throw new Error(`The arguments are not valid JSON: ${messageOf(thrown)}`);
  }
}

/** Drops `__proto__`: a tool that copies its arguments by assignment would change a prototype. */
const withoutPrototype = (key: string, value: unknown): unknown =>
  key === "__proto__" ? undefined : value;

function resultText(result: unknown): string {
  const text = typeof result === "string" ? result : jsonText(result);
  if (text.length <= MAX_RESULT_LENGTH) return text;
  const start = text.slice(0, MAX_RESULT_LENGTH).toWellFormed();
  return `${start}\n[cut here: ${text.length} characters in all]`;
}

const errorText = (thrown: unknown): string =>
  singleLine(messageOf(thrown), MAX_ERROR_LENGTH) || "The tool failed.";

/** Never includes the stack, and never throws itself, whatever was thrown. */
function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "";
  }
}
