import type { Agent } from "../../agent/agent.js";
import type { UserRunOptions } from "../../agent/runner.js";
import type { UserView } from "../../agent/user-view.js";
import { AgnoChatError } from "../../errors.js";
import { validateUserId } from "../../ids.js";
import { type Answer, eventStream, json } from "../answer.js";
import { parseObject } from "../body.js";
import type { RequestContext } from "../request-context.js";
import { resolveUser, sessionOf } from "../resolve-user.js";
import { RequestFault } from "./request-fault.js";
import { ResponseEvents } from "./response-events.js";
import {
  isMade,
  type KeptRun,
  makeConversationId,
  parseResponseId,
  sessionOfResponse,
} from "./response-id.js";
import { finishedResponse, type ResponseFrame } from "./response-object.js";
import { type ResponsesRequest, responsesRequestOf } from "./responses-request.js";

/**
 * `POST /v1/responses` of OpenAI's API, streamed or not. A conversation is a session of the user;
 * without one, and with `previous_response_id`, it is that of the response, which must be the
 * latest of its session. With `store: false` nothing is read or kept.
 */
export async function responses(context: RequestContext, agent: Agent): Promise<Answer> {
  const request = responsesRequestOf(parseObject(await context.body()));
  const { input, previous, store, stream } = request;
  const { view, options } = await placeOf(context, agent, request);
  const run = { ...options, signal: context.cancellation };
  const createdAt = Math.floor(Date.now() / 1000);
  const frameOf = ({ runId, userId, sessionId }: KeptRun): ResponseFrame => {
    return { run: { runId, userId, sessionId }, model: agent.name, createdAt, previous, store };
  };
  try {
    if (stream) return streamed(context, view.stream(input, run), new ResponseEvents(frameOf));
    const output = await view.run(input, run);
    return json(finishedResponse(frameOf(output), output));
  } catch (thrown) {
    throw previousFault(thrown);
  }
}

interface Place {
  readonly view: UserView;
  readonly options: Pick<UserRunOptions, "sessionId" | "previousRun">;
}

/** Where the run belongs: within one user, whatever the other ids say. */
async function placeOf(
  context: RequestContext,
  agent: Agent,
  request: ResponsesRequest,
): Promise<Place> {
  const { instructions, history, conversation, previous, store } = request;
  const userId = resolveUser(context, namedUser(context, request), { field: "user" });
  if (!store) return { view: agent.detached(userId, history, { instructions }), options: {} };
  const view = agent.forUser(userId, { instructions });
  if (previous !== undefined) return { view, options: await continuing(previous, view) };
  const isOwnName = conversation === userId && isMade(userId) && request.user === undefined;
  return { view, options: { sessionId: isOwnName ? undefined : sessionOf(conversation) } };
}

/**
 * The user whom an anonymous caller names. Whoever names none is a new one, or the one that was
 * made for the conversation, which only its caller knows.
 */
function namedUser(
  { caller }: RequestContext,
  { user, conversation, previous }: ResponsesRequest,
): string | undefined {
  if (user !== undefined || caller !== undefined) return user;
  if (previous !== undefined) return parseResponseId(previous)?.madeUser ?? notFound();
  if (conversation === undefined) return makeConversationId();
  if (isMade(conversation)) return conversation;
  throw new RequestFault("The conversation of an anonymous caller needs a user.", {
    param: "user",
    code: "INVALID_USER_ID",
    hint: "Send user or safety_identifier.",
  });
}

/** @throws {RequestFault} for a response that is none of this user's, whoever else's it may be */
async function continuing(previous: string, view: UserView): Promise<Place["options"]> {
  const name = parseResponseId(previous);
  const sessionId = name && (await sessionOfResponse(name, view));
  return name && sessionId ? { sessionId, previousRun: name.runId } : notFound();
}

function notFound(): never {
  throw new RequestFault("There is no such response of this user.", {
    param: "previous_response_id",
    code: "NOT_FOUND",
    openAiCode: "previous_response_not_found",
    hint: "Send the id of the latest response, and the same user as before.",
  });
}

/** A run that was to continue another one fails in these words. */
function previousFault(thrown: unknown): unknown {
  if (!(thrown instanceof AgnoChatError) || thrown.code !== "RUN_CONFLICT") return thrown;
  return new RequestFault("That response is not the latest of its conversation.", {
    param: "previous_response_id",
    hint: "Send the id of the latest response: a conversation has no branches.",
  });
}

function streamed(
  context: RequestContext,
  run: ReturnType<UserView["stream"]>,
  events: ResponseEvents,
): Answer {
  async function* pieces() {
    try {
      for await (const event of run) yield* textsOf(events.of(event));
    } catch (thrown) {
      throw previousFault(thrown);
    }
  }
  return eventStream({
    pieces: pieces(),
    lastWords(thrown) {
      context.fail(thrown);
      return [...textsOf(events.failed(thrown))].join("");
    },
  });
}

function* textsOf(events: Iterable<{ readonly type: string }>): Generator<string> {
  for (const event of events) yield `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/**
 * `POST /v1/conversations`: a new name that nobody can guess. Nothing is kept yet. To an anonymous
 * caller it also is the user.
 */
export async function conversations(context: RequestContext): Promise<Answer> {
  const { items } = parseObject(await context.body());
  if (Array.isArray(items) && items.length > 0)
    throw new RequestFault("A conversation begins with its first response.", {
      param: "items",
      hint: "Leave out items.",
    });
  context.userId = context.caller;
  const id = validateUserId(makeConversationId());
  const createdAt = Math.floor(Date.now() / 1000);
  return json({ id, object: "conversation", created_at: createdAt, metadata: {} });
}
