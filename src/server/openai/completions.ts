import type { Agent } from "../../agent/agent.js";
import type { RunStream } from "../../agent/run-stream.js";
import { type Answer, eventStream, json } from "../answer.js";
import { parseObject } from "../body.js";
import type { RequestContext } from "../request-context.js";
import { resolveUser } from "../resolve-user.js";
import { CompletionChunks, completionObject } from "./completion-object.js";
import { completionsRequestOf } from "./completions-request.js";
import { errorObject } from "./error-object.js";
import { makeConversationId } from "./response-id.js";

/**
 * `POST /v1/chat/completions` of OpenAI's API, streamed or not: the messages are the whole context,
 * and nothing is read or kept. Tools are told the authenticated user, or a made one: `user` does
 * not count here, because clients send it on their own.
 */
export async function completions(context: RequestContext, agent: Agent): Promise<Answer> {
  const request = completionsRequestOf(parseObject(await context.body()));
  const { input, history, instructions, pictures, contents, stream, includeUsage } = request;
  const userId = resolveUser(context, context.caller ?? makeConversationId());
  const view = agent.detached(userId, history, { instructions, contents });
  const options = { signal: context.cancellation, attachments: pictures };
  const frame = { model: agent.name, createdAt: Math.floor(Date.now() / 1000) };
  if (!stream) return json(completionObject(frame, await view.run(input, options)));
  const chunks = new CompletionChunks({ ...frame, includeUsage });
  return eventStream({
    pieces: piecesOf(view.stream(input, options), chunks),
    lastWords(thrown) {
      context.fail(thrown);
      return dataOf({ error: errorObject(thrown) });
    },
  });
}

async function* piecesOf(run: RunStream, chunks: CompletionChunks): AsyncGenerator<string> {
  for await (const event of run) for (const chunk of chunks.of(event)) yield dataOf(chunk);
  yield "data: [DONE]\n\n";
}

const dataOf = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
