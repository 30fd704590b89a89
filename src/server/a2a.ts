import { AgnoChatError, ERROR_TABLE } from "../errors.js";
import { A2aAgent } from "./a2a-agent.js";
import {
  A2aFault,
  type A2aRequest,
  checkParams,
  envelopeOf,
  idIn,
  parseBody,
  type RpcId,
} from "./a2a-request.js";
import { type A2aSdk, loadSdk } from "./a2a-sdk.js";
import { type A2aVersion, versionOf } from "./a2a-version.js";
import { cardOf } from "./agent-card.js";
import type { ChatParts } from "./chat.js";
import { EventStream } from "./event-stream.js";
import { ConfigurationFault, failureOf } from "./failure-answer.js";
import { sendJson, sendNothing } from "./reply.js";
import type { RequestContext } from "./request-context.js";

/**
 * `POST /a2a`: JSON-RPC 2.0 of the Agent2Agent protocol, versions 1.0 and 0.3. Invalid requests are
 * answered here; for the others the SDK translates between the wire and `A2aAgent`. A notification
 * (a request without an id) is carried out and always answered with 204.
 */
export async function answerA2a(context: RequestContext, parts: ChatParts): Promise<void> {
  const sdk = await loadSdk();
  const call = { context, parts, sdk, version: versionOf(context.request) };
  let id: RpcId | undefined = null;
  try {
    const body = parseBody(await parts.bodies.read(context.request));
    id = idIn(body);
    const request = envelopeOf(body);
    id = request.id;
    const answer = await answerOf(call, request);
    if (id === undefined) await drainEvents(answer);
    else if (Symbol.asyncIterator in answer) await sendEvents(call, answer, id);
    else sendJson(context.response, answer);
  } catch (thrown) {
    if (context.response.headersSent) throw thrown;
    const error = errorFor(call, thrown);
    const status = thrown instanceof AgnoChatError ? ERROR_TABLE[thrown.code].http : 200;
    if (id !== undefined) sendJson(context.response, { jsonrpc: "2.0", id, error }, { status });
  }
  if (id === undefined) sendNothing(context.response);
}

interface A2aContext {
  readonly context: RequestContext;
  readonly parts: ChatParts;
  readonly sdk: A2aSdk;
  readonly version: A2aVersion | undefined;
}

type Answer = AsyncIterable<unknown> | { readonly error?: RpcError };

/** The SDK's answer: one document, or the events of a stream. */
async function answerOf(call: A2aContext, request: A2aRequest): Promise<Answer> {
  const { context, parts, sdk, version } = call;
  if (version === undefined) throw unknownVersion();
  checkParams(request, version);
  const { agent } = parts;
  const handler = new A2aAgent(context, { agent, sdk, card: cardOf(agent.name, "") });
  const Transport =
    version === "0.3" ? sdk.LegacyJsonRpcTransportHandler : sdk.JsonRpcTransportHandler;
  const callContext = new sdk.ServerCallContext({ requestedVersion: version });
  const answer = (await new Transport(handler).handle(request, callContext)) as Answer;
  if (Symbol.asyncIterator in answer || !answer.error) return answer;
  return { ...answer, error: toRpcError(context, answer.error) };
}

async function drainEvents(answer: Answer): Promise<void> {
  if (Symbol.asyncIterator in answer) for await (const _ of answer);
}

async function sendEvents(
  call: A2aContext,
  events: AsyncIterable<unknown>,
  id: RpcId,
): Promise<void> {
  const { context, parts, sdk } = call;
  const stream = new EventStream(context, parts.writeTimeoutMs);
  try {
    for await (const event of events) await stream.write(sdk.formatSSEEvent(event));
  } catch (thrown) {
    if (!stream.isOpen) throw thrown;
    const error = errorFor(call, thrown);
    await stream.write(sdk.formatSSEEvent({ jsonrpc: "2.0", id, error }));
  }
  stream.end();
}

interface RpcError {
  readonly code: number;
  readonly message: string;
}

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const INTERNAL_ERROR = -32603;

function errorFor({ context, sdk, version }: A2aContext, thrown: unknown): RpcError {
  if (thrown instanceof ConfigurationFault) context.fail(thrown);
  return toRpcError(context, errorOf(thrown, { sdk, version }));
}

function errorOf(thrown: unknown, { sdk, version }: Pick<A2aContext, "sdk" | "version">): RpcError {
  if (thrown instanceof AgnoChatError) {
    const { code, message, rpc } = failureOf(thrown);
    // The body is not readable text.
    return { code: code === "INVALID_INPUT" ? PARSE_ERROR : rpc, message };
  }
  if (thrown instanceof A2aFault) {
    const { kind, message } = thrown;
    if (kind === "ParseError") return { code: PARSE_ERROR, message };
    if (kind === "InvalidRequest") return { code: INVALID_REQUEST, message };
    return errorOf(new sdk[kind](message), { sdk, version });
  }
  return version === "0.3"
    ? sdk.LegacyJsonRpcTransportHandler.mapToLegacyJSONRPCError(thrown)
    : sdk.JsonRpcTransportHandler.mapToJSONRPCError(thrown);
}

/** Masks errors from inside the SDK, which quotes them: only `A2aAgent`'s own messages are sent. */
function toRpcError(context: RequestContext, error: RpcError): RpcError {
  const known = error.code !== INTERNAL_ERROR || context.failure !== undefined;
  context.failure ??= known ? String(error.code) : "INTERNAL";
  return known ? error : { code: INTERNAL_ERROR, message: failureOf(undefined).message };
}

const unknownVersion = () =>
  new A2aFault("VersionNotSupportedError", "Only A2A 1.0 and 0.3 are supported.");
