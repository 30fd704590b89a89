import type { RunOutput } from "../../agent/events.js";
import type { RunStream } from "../../agent/run-stream.js";
import type { NewAttachment } from "../../attachments.js";
import { AgnoChatError } from "../../errors.js";
import type { JsonSchema } from "../../models/model.js";
import type { Context } from "../command-context.js";
import { createConfiguredAgent, openConfiguredModel, withMemory } from "../open-agent.js";
import { remarkOn } from "../render/run-view.js";
import { hasInput, readAll } from "../stdin.js";
import { withinTimeout } from "../time-limit.js";
import { answerDocument } from "./answer-document.js";
import type { AnswerView } from "./answer-view.js";
import { type AskOptions, refuseContradictions } from "./ask-options.js";
import { eventLines } from "./event-lines.js";
import { notedAnswer, spinnerOn, writtenAnswer } from "./written-answer.js";

/** `ask`: sends one message and prints the answer. */
export async function ask(context: Context, words: string[], options: AskOptions): Promise<void> {
  refuseContradictions(context, options);
  if (options.interactive) await chatFrom(context, words, options);
  else await askOnce(context, words, options);
}

async function askOnce(context: Context, words: string[], options: AskOptions): Promise<void> {
  const { new: isNew = false, stdin = true } = options;
  const { settings, signal } = context;
  const { schema } = options;
  const replySchema = schema === undefined ? undefined : await schemaOf(schema, signal);
  const attachments = await filesIn(options);
  const prompt = await promptOf(context, words, stdin);
  await withinTimeout(context, (signal) =>
    withMemory(context, async (memory) => {
      const model = await openConfiguredModel({ ...context, signal });
      const agent = (await createConfiguredAgent(context, { model, memory })).forUser(
        settings.values.user,
      );
      const sessionId = isNew
        ? await (await newSessions()).newSession(agent)
        : settings.values.session;
      const run = { sessionId, signal, replySchema, attachments };
      if (context.options.json) await printDocument(agent.run(prompt, run), context, model.name);
      else if (options.streamJson)
        await context.output.pieces(eventLines(agent.stream(prompt, run), model.name), signal);
      else if (replySchema !== undefined) await printValue(agent.stream(prompt, run), context);
      else if (options.extract) await printCode(agent.run(prompt, run), context, options);
      else await print(agent.stream(prompt, run), context, options);
    }),
  );
}

const newSessions = () => import("./new-session.js");

async function filesIn({ attach = [] }: AskOptions): Promise<readonly NewAttachment[]> {
  if (attach.length === 0) return [];
  return (await import("../attached-file.js")).filesToAttach(attach);
}

async function printDocument(
  run: Promise<RunOutput>,
  { output }: Context,
  model: string,
): Promise<void> {
  const answer = await run;
  output.document(answerDocument(answer, model));
  noteOn(answer, output);
}

/** Prints the last code block, or the whole answer if it has none: then all of it may be code. */
async function printCode(
  run: Promise<RunOutput>,
  context: Context,
  { raw = false }: AskOptions,
): Promise<void> {
  const { output } = context;
  const stopSpinner = spinnerOn(context);
  const answer = await run.finally(stopSpinner);
  if (raw) output.note(RAW_NOTE);
  const { lastCodeBlock } = await import("../code-block.js");
  const code = lastCodeBlock(answer.content);
  if (code === undefined) output.note("The answer has no code block, so this is all of it.");
  const text = withLineEnd(code ?? answer.content);
  if (raw) output.writeSafe(text);
  else output.write(text);
  noteOn(answer, output);
}

/** Prints the JSON that was checked. What is stored is the reply as the model wrote it. */
async function printValue(stream: RunStream, context: Context): Promise<void> {
  const view = notedAnswer(context);
  try {
    for await (const event of stream) view.show(event);
  } finally {
    view.end();
  }
  const { value } = await stream.result;
  context.output.document(value);
}

const withLineEnd = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);

function noteOn(answer: RunOutput, output: Context["output"]): void {
  const remark = remarkOn(answer);
  if (remark !== undefined) output.note(remark);
}

const RAW_NOTE = "Raw output: the model's text can control your terminal.";

async function print(
  stream: RunStream,
  context: Context,
  { raw = false }: AskOptions,
): Promise<void> {
  if (raw) context.output.note(RAW_NOTE);
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
  const isRead = isStdin || (useStdin && hasInput(io));
  const input = isRead ? await readAll(io.stdin, { signal, onWaiting }) : "";
  const parts = [input.trimEnd(), argument].filter((part) => part.trim() !== "");
  if (parts.length > 0) return parts.join("\n\n");
  throw emptyPrompt('agno-chat ask "Hello"');
}

const emptyPrompt = (example: string): AgnoChatError =>
  new AgnoChatError("INVALID_INPUT", "The prompt is empty.", { hint: `Give one: ${example}` });

const waitingText = (isTerminal: boolean): string =>
  isTerminal
    ? "Type the prompt, then press Ctrl-D on an empty line."
    : "Waiting for input on stdin. To skip it: --no-stdin";

async function schemaOf(path: string, signal: AbortSignal): Promise<JsonSchema> {
  const { schemaIn } = await import("./schema-file.js");
  return schemaIn(path, signal);
}

/** Asks at the prompt of the chat, which goes on from there. */
async function chatFrom(context: Context, words: string[], options: AskOptions): Promise<void> {
  const message = words.join(" ");
  if (message === "-")
    throw new AgnoChatError("USAGE", "The prompt - reads stdin, but -i needs it for the chat.", {
      hint: "Give the prompt as an argument.",
    });
  if (message.trim() === "") throw emptyPrompt('agno-chat ask -i "Hello"');
  const { chatOnTerminal } = await import("../chat/chat-on-terminal.js");
  const first = { text: message, attachments: await filesIn(options) };
  await chatOnTerminal(
    options.new ? await (await newSessions()).inNewSession(context) : context,
    first,
  );
}
