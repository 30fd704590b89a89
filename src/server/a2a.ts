import type { Agent } from "../agent/agent.js";
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
import { type Answer, eventStream, json, nothing, type WholeAnswer } from "./answer.js";
import { ConfigurationFault, failureOf } from "./failure-answer.js";
import type { RequestContext } from "./request-context.js";

/**
 * `POST /a2a`: JSON-RPC 2.0 of the Agent2Agent protocol, versions 1.0 and 0.3. Invalid requests are
 * answered here; for the others the SDK translates between the wire and `A2aAgent`. A notification
 * (a request without an id) is carried out and always answered with 204.
 */
export async function answerA2a(context: RequestContext, agent: Agent): Promise<Answer> {
  const sdk = await loadSdk();
  const call = { context, agent, sdk, version: versionOf(context.head) };
  let id: RpcId | undefined = null;
  try {
    const body = parseBody(await context.body());
    id = idIn(body);
    const request = envelopeOf(body);
    id = request.id;
    const result = await resultOf(call, request);
    if (id !== undefined) return isEvents(result) ? streamOf(call, result, id) : json(result);
    if (isEvents(result)) for await (const _ of result);
  } catch (thrown) {
    const refusal = refusalOf(call, thrown, id ?? null);
    if (id !== undefined) return refusal;
  }
  return nothing();
}

interface A2aCall {
  readonly context: RequestContext;
  readonly agent: Agent;
  readonly sdk: A2aSdk;
  readonly version: A2aVersion | undefined;
}

type Result = AsyncIterable<unknown> | { readonly error?: RpcError };

const isEvents = (result: Result): result is AsyncIterable<unknown> =>
  Symbol.asyncIterator in result;

/** The SDK's result: one document, or the events of a stream. */
async function resultOf(call: A2aCall, request: A2aRequest): Promise<Result> {
  const { context, agent, sdk, version } = call;
  if (version === undefined) throw unknownVersion();
  checkParams(request, version);
  const handler = new A2aAgent(context, { agent, sdk, card: cardOf(agent.name, "") });
  const Transport =
    version === "0.3" ? sdk.LegacyJsonRpcTransportHandler : sdk.JsonRpcTransportHandler;
  const callContext = new sdk.ServerCallContext({ requestedVersion: version });
  const result = (await new Transport(handler).handle(request, callContext)) as Result;
  if (isEvents(result) || !result.error) return result;
  return { ...result, error: toRpcError(context, result.error) };
}

function streamOf(call: A2aCall, events: AsyncIterable<unknown>, id: RpcId): Answer {
  const { formatSSEEvent } = call.sdk;
  async function* pieces(): AsyncGenerator<string> {
    for await (const event of events) yield formatSSEEvent(event);
  }
  return eventStream({
    pieces: pieces(),
    refusal: (thrown) => refusalOf(call, thrown, id),
    lastWords: (thrown) => formatSSEEvent({ jsonrpc: "2.0", id, error: errorFor(call, thrown) }),
  });
}

function refusalOf(call: A2aCall, thrown: unknown, id: RpcId): WholeAnswer {
  const error = errorFor(call, thrown);
  const status = thrown instanceof AgnoChatError ? ERROR_TABLE[thrown.code].http : 200;
  return json({ jsonrpc: "2.0", id, error }, { status });
}

interface RpcError {
  readonly code: number;
  readonly message: string;
}

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const INTERNAL_ERROR = -32603;

function errorFor({ context, sdk, version }: A2aCall, thrown: unknown): RpcError {
  if (thrown instanceof ConfigurationFault) context.fail(thrown);
  return toRpcError(context, errorOf(thrown, { sdk, version }));
}

function errorOf(thrown: unknown, { sdk, version }: Pick<A2aCall, "sdk" | "version">): RpcError {
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
