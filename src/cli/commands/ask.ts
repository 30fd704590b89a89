import type { RunOutput } from "../../agent/events.js";
import type { RunStream } from "../../agent/run-stream.js";
import type { UserView } from "../../agent/user-view.js";
import { AgnoChatError } from "../../errors.js";
import type { Context } from "../context.js";
import { agentOf, modelOf, withMemory } from "../open.js";
import { remarkOn } from "../render/run-view.js";
import { unusedSessionName } from "../session-name.js";
import { hasInput, readAll } from "../stdin.js";
import { withinTimeout } from "../time-limit.js";
import type { AnswerView } from "./answer-view.js";

export interface AskOptions {
  /** Begin a new session. */
  readonly new?: boolean;
  /** False: leave stdin alone. */
  readonly stdin?: boolean;
  /** The answer as the model wrote it. */
  readonly raw?: boolean;
}

/** `ask`: one message, one answer. */
export async function ask(
  context: Context,
  words: string[],
  { new: isNew = false, stdin = true, raw = false }: AskOptions,
): Promise<void> {
  const { settings } = context;
  const prompt = await promptOf(context, words, stdin);
  await withinTimeout(context, (signal) =>
    withMemory(context, async (memory) => {
      const model = await modelOf({ ...context, signal });
      const agent = (await agentOf(context, { model, memory })).forUser(settings.values.user);
      const sessionId = isNew ? await newSession(agent) : settings.values.session;
      const run = { sessionId, signal };
      if (context.options.json) await printDocument(agent.run(prompt, run), context, model.name);
      else await print(agent.stream(prompt, run), context, raw);
    }),
  );
}

const newSession = async (agent: UserView): Promise<string> =>
  unusedSessionName((await agent.sessions()).map(({ sessionId }) => sessionId));

async function printDocument(
  run: Promise<RunOutput>,
  { output }: Context,
  model: string,
): Promise<void> {
  const answer = await run;
  output.document(documentOf(answer, model));
  const remark = remarkOn(answer);
  if (remark !== undefined) output.note(remark);
}

async function print(stream: RunStream, context: Context, raw: boolean): Promise<void> {
  if (raw) context.output.note("Raw output: what the model writes can control your terminal.");
  const view = await answerView(context, raw);
  try {
    for await (const event of stream) view.show(event);
  } finally {
    view.end();
  }
}

/** Markdown on a terminal, plain text in a pipe; as the model wrote it only when asked for. */
async function answerView(context: Context, raw: boolean): Promise<AnswerView> {
  const { stdout, env } = context.io;
  if (!stdout.isTTY || env.TERM === "dumb" || raw)
    return (await import("./written-answer.js")).writtenAnswer(context, raw);
  return (await import("./painted-answer.js")).paintedAnswer(context);
}

/** stdin, a blank line and the argument; or whichever of the two there is. `-` alone is stdin, also a terminal. */
async function promptOf(
  { io, output, signal }: Context,
  words: string[],
  useStdin: boolean,
): Promise<string> {
  const isStdin = words.length === 1 && words[0] === "-";
  if (isStdin && !useStdin)
    throw new AgnoChatError("USAGE", "The prompt - is stdin, which --no-stdin leaves alone.", {
      hint: "Give one of them.",
    });
  const argument = isStdin ? "" : words.join(" ");
  const onWaiting = () => output.note(waitingText(io.stdin.isTTY === true));
  const isRead = isStdin || (useStdin && hasInput(io.stdin));
  const input = isRead ? await readAll(io.stdin, { signal, onWaiting }) : "";
  const parts = [input.trimEnd(), argument].filter((part) => part.trim() !== "");
  if (parts.length > 0) return parts.join("\n\n");
  throw new AgnoChatError("INVALID_INPUT", "There is nothing to ask.", {
    hint: 'Give it a prompt: agno-chat ask "Hello"',
  });
}

const waitingText = (isTerminal: boolean): string =>
  isTerminal
    ? "Type the prompt; Ctrl-D on a line of its own ends it."
    : "Waiting for input on stdin. To leave it alone: --no-stdin";

const documentOf = (
  { userId, sessionId, content, finishReason, usage, runId }: RunOutput,
  model: string,
) => ({
  ok: true,
  user: userId,
  session: sessionId,
  model,
  reply: content,
  finishReason,
  usage: usage ?? null,
  runId,
});
