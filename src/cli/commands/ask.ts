import type { RunOutput } from "../../agent/events.js";
import type { RunStream } from "../../agent/run-stream.js";
import { AgnoChatError } from "../../errors.js";
import type { Context } from "../context.js";
import { agentOf, modelOf, withMemory } from "../open.js";
import { plainReply } from "../render/reply.js";
import { RunView } from "../render/run-view.js";
import { hasInput, readAll } from "../stdin.js";
import { signalWithin } from "../time-limit.js";

/** `ask`: one message, one answer. */
export async function ask(
  context: Context,
  words: string[],
  options: Record<string, unknown>,
): Promise<void> {
  const prompt = await promptOf(context, words, options.stdin !== false);
  const { user: userId, session: sessionId } = context.settings.values;
  await withMemory(context, async (memory) => {
    const model = await modelOf(context);
    const agent = await agentOf(context, { model, memory });
    const limit = signalWithin(context.signal, context.settings.values.timeout);
    try {
      const stream = agent.stream(prompt, { userId, sessionId, signal: limit.signal });
      if (context.options.json)
        context.output.document(documentOf(await lastOf(stream), model.name));
      else await print(stream, context);
    } finally {
      limit.clear();
    }
  });
}

async function print(stream: RunStream, { output }: Context): Promise<void> {
  const view = new RunView({
    text: plainReply,
    write: (text) => output.writeSafe(text),
    note: (line) => output.note(line),
  });
  try {
    for await (const event of stream) view.show(event);
  } finally {
    view.endLine();
  }
}

/** stdin, a blank line and the argument; or whichever of the two there is. */
async function promptOf(
  { io, output, signal }: Context,
  words: string[],
  useStdin: boolean,
): Promise<string> {
  const argument = words.join(" ");
  const onWaiting = () => output.note("Waiting for input on stdin. To leave it alone: --no-stdin");
  const input =
    useStdin && hasInput(io.stdin) ? await readAll(io.stdin, { signal, onWaiting }) : "";
  const parts = [input.trimEnd(), argument].filter((part) => part.trim() !== "");
  if (parts.length > 0) return parts.join("\n\n");
  throw new AgnoChatError("INVALID_INPUT", "There is nothing to ask.", {
    hint: 'Give it a prompt: agno-chat ask "Hello"',
  });
}

async function lastOf(stream: RunStream): Promise<RunOutput> {
  for await (const event of stream) if (event.type === "run-end") return event.output;
  throw new AgnoChatError("INTERNAL", "The run ended without an output.");
}

const documentOf = ({ userId, sessionId, content, usage, runId }: RunOutput, model: string) => ({
  ok: true,
  user: userId,
  session: sessionId,
  model,
  reply: content,
  usage: usage ?? null,
  runId,
});
