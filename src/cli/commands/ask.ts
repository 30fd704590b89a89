import type { RunOutput } from "../../agent/events.js";
import type { RunStream } from "../../agent/run-stream.js";
import type { UserView } from "../../agent/user-view.js";
import { AgnoChatError } from "../../errors.js";
import type { Context } from "../command-context.js";
import { createConfiguredAgent, openConfiguredModel, withMemory } from "../open-agent.js";
import { remarkOn } from "../render/run-view.js";
import { unusedSessionName } from "../session-name.js";
import { hasInput, readAll } from "../stdin.js";
import { withinTimeout } from "../time-limit.js";
import type { AnswerView } from "./answer-view.js";
import { writtenAnswer } from "./written-answer.js";

export interface AskOptions {
  /** Start a new session. */
  readonly new?: boolean;
  /** `false`: do not read stdin. */
  readonly stdin?: boolean;
  /** Print the answer exactly as the model wrote it. */
  readonly raw?: boolean;
}

/** `ask`: sends one message and prints the answer. */
export async function ask(
  context: Context,
  words: string[],
  { new: isNew = false, stdin = true, raw = false }: AskOptions,
): Promise<void> {
  const { settings } = context;
  const prompt = await promptOf(context, words, stdin);
  await withinTimeout(context, (signal) =>
    withMemory(context, async (memory) => {
      const model = await openConfiguredModel({ ...context, signal });
      const agent = (await createConfiguredAgent(context, { model, memory })).forUser(
        settings.values.user,
      );
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
  if (raw) context.output.note("Raw output: the model's text can control your terminal.");
  const view = await answerView(context, raw);
  try {
    for await (const event of stream) view.show(event);
  } finally {
    view.end();
  }
}

/** Rendered Markdown on a terminal; plain text in a pipe and for --raw. */
async function answerView(context: Context, raw: boolean): Promise<AnswerView> {
  const { stdout, env } = context.io;
  if (!stdout.isTTY || env.TERM === "dumb" || raw) return writtenAnswer(context, raw);
  return (await import("./painted-answer.js")).paintedAnswer(context);
}

/**
 * The prompt: stdin, a blank line and the argument, or the one of them that is not empty. `-` alone
 * means stdin, even if that is a terminal.
 */
async function promptOf(
  { io, output, signal }: Context,
  words: string[],
  useStdin: boolean,
): Promise<string> {
  const isStdin = words.length === 1 && words[0] === "-";
  if (isStdin && !useStdin)
    throw new AgnoChatError("USAGE", "The prompt - reads stdin, but --no-stdin forbids it.", {
      hint: "Give only one of them.",
    });
  const argument = isStdin ? "" : words.join(" ");
  const onWaiting = () => output.note(waitingText(io.stdin.isTTY === true));
  const isRead = isStdin || (useStdin && hasInput(io.stdin));
  const input = isRead ? await readAll(io.stdin, { signal, onWaiting }) : "";
  const parts = [input.trimEnd(), argument].filter((part) => part.trim() !== "");
  if (parts.length > 0) return parts.join("\n\n");
  throw new AgnoChatError("INVALID_INPUT", "The prompt is empty.", {
    hint: 'Give one: agno-chat ask "Hello"',
  });
}

const waitingText = (isTerminal: boolean): string =>
  isTerminal
    ? "Type the prompt, then press Ctrl-D on an empty line."
    : "Waiting for input on stdin. To skip it: --no-stdin";

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
