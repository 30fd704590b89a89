import { isDeepStrictEqual } from "node:util";
import { defineTool } from "../tools/define-tool.js";
import type { ToolContext, Toolkit } from "../tools/tool.js";
import { type Finding, whoseOf } from "./finding.js";
import type { Report } from "./findings.js";
import { finding, isOwn, type Sighting } from "./judge.js";
import type { Conversation, Ledger, PlantedRun } from "./ledger.js";

/** Takes no arguments, so that everybody calls it with the same ones. */
const PROBE = "verify_probe";
/** Returns its argument. */
export const ECHO = "verify_echo";

/** Counts the calls in a session; its value is read and changed by every one of them. */
const COUNT = "verify-count";

/** Tools that compare what they are told with the run that called them. */
export const probeTools = (ledger: Ledger, report: Report): Toolkit => ({
  name: "verify",
  tools: [
    defineTool({
      name: PROBE,
      description: "Changes the session state and returns a text.",
      parameters: { type: "object", properties: {}, additionalProperties: false },
      execute: (_, context) => probe(context, ledger, report),
    }),
    defineTool<{ text: string }>({
      name: ECHO,
      description: "Returns its text.",
      parameters: {
        type: "object",
        properties: { text: { type: "string" } },
        required: ["text"],
        additionalProperties: false,
      },
      execute: ({ text }, context) => echo(text, context, ledger, report),
    }),
  ],
});

function probe(context: ToolContext, ledger: Ledger, report: Report): string {
  const { run, conversation } = callerOf(context, ledger);
  if (run === undefined) return uncalled(PROBE, context, report);
  const sighting: Sighting = { check: "tools", by: whoseOf(run), door: PROBE };
  report(judgeState({ ...context.state }, conversation, sighting, ledger));
  const key = ledger.canaries.plant("state-key", run);
  const value = ledger.canaries.plant("state-value", run);
  context.state[key] = value;
  const count = context.update(COUNT, (before) => (typeof before === "number" ? before + 1 : 1));
  run.state = new Map([...conversation.state, [key, value], [COUNT, count as number]]);
  const result = ledger.canaries.plant("tool-result", run);
  run.toolResults.set(PROBE, result);
  return result;
}

function echo(text: string, context: ToolContext, ledger: Ledger, report: Report): string {
  const { run } = callerOf(context, ledger);
  if (run === undefined) return uncalled(ECHO, context, report);
  const sighting: Sighting = { check: "tools", by: run, door: ECHO };
  const given = ledger.canaries.in(argumentsOf(run));
  const stranger = ledger.canaries.in(text).find((canary) => !given.includes(canary));
  if (stranger !== undefined) {
    const found = { where: "arguments", run: stranger.owner, canary: stranger };
    report([finding("foreign", sighting, { ...found, text: "got the arguments of another run" })]);
  }
  run.toolResults.set(ECHO, text);
  return text;
}

/** Of the calls that the model made last. */
function argumentsOf(run: PlantedRun): string {
  const asked = run.messages.at(-1);
  const calls = asked?.role === "assistant" ? (asked.toolCalls ?? []) : [];
  return calls.map((call) => call.arguments).join(" ");
}

/** The run under way in the session that the tool is told. */
function callerOf({ userId, sessionId }: ToolContext, ledger: Ledger) {
  const conversation = ledger.conversation({ userId, sessionId });
  const run = conversation.runs.find(({ answered, requests }) => !answered && requests > 0);
  return { conversation, run: run?.messages.at(-1)?.role === "assistant" ? run : undefined };
}

function uncalled(tool: string, context: ToolContext, report: Report): string {
  const by = whoseOf(context);
  const text = "a tool was told this user, who had called none";
  report([{ check: "tools", kind: "foreign", by, door: tool, where: "context", text }]);
  return "";
}

/** Compares a session state with what the session's tools stored. */
export function judgeState(
  state: Readonly<Record<string, unknown>>,
  conversation: Conversation,
  sighting: Sighting,
  { canaries }: Ledger,
): Finding[] {
  const { by } = sighting;
  const seen = canaries.in(JSON.stringify(state));
  const stranger = seen.find((canary) => !isOwn(canary, by));
  if (stranger !== undefined) {
    const found = { where: "state", run: stranger.owner, canary: stranger };
    const kind = stranger.owner.userId === by.userId ? "cross-session" : "foreign";
    return [finding(kind, sighting, { ...found, text: "saw the session state of somebody else" })];
  }
  for (const canary of seen) canaries.see(canary);
  // Other tools keep keys of their own.
  const ours = Object.entries(state).filter(
    ([key]) => key === COUNT || canaries.in(key).length > 0,
  );
  if (isDeepStrictEqual(Object.fromEntries(ours), Object.fromEntries(conversation.state)))
    return [];
  const text = "saw a session state that its tools did not leave";
  return [finding("lost", sighting, { where: "state", text })];
}
