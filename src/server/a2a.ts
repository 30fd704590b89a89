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
import type { Exchange } from "./exchange.js";
import { failureOf, HostFault } from "./failure.js";
import { sendJson, sendNothing } from "./reply.js";

/**
 * `POST /a2a`: JSON-RPC 2.0 of the Agent2Agent protocol, versions 1.0 and 0.3. What cannot be a request is answered here;
 * the SDK translates the rest between the wire and `A2aAgent`. A notification, a request without an id, is carried out
 * and answered with 204 and nothing else, whatever comes of it.
 */
export async function answerA2a(exchange: Exchange, parts: ChatParts): Promise<void> {
  const sdk = await loadSdk();
  const call = { exchange, parts, sdk, version: versionOf(exchange.request) };
  let id: RpcId | undefined = null;
  try {
    const body = parseBody(await parts.bodies.read(exchange.request));
    id = idIn(body);
    const request = envelopeOf(body);
    id = request.id;
    const answer = await answerOf(call, request);
    if (id === undefined) await carriedOut(answer);
    else if (Symbol.asyncIterator in answer) await sendEvents(call, answer, id);
    else sendJson(exchange.response, answer);
  } catch (thrown) {
    if (exchange.response.headersSent) throw thrown;
    const error = errorFor(call, thrown);
    const status = thrown instanceof AgnoChatError ? ERROR_TABLE[thrown.code].http : 200;
    if (id !== undefined) sendJson(exchange.response, { jsonrpc: "2.0", id, error }, { status });
  }
  if (id === undefined) sendNothing(exchange.response);
}

interface Call {
  readonly exchange: Exchange;
  readonly parts: ChatParts;
  readonly sdk: A2aSdk;
  readonly version: A2aVersion | undefined;
}

type Answer = AsyncIterable<unknown> | { readonly error?: RpcError };

/** What the SDK makes of it: the events of a stream, or one answer. */
async function answerOf(call: Call, request: A2aRequest): Promise<Answer> {
  const { exchange, parts, sdk, version } = call;
  if (version === undefined) throw unknownVersion();
  checkParams(request, version);
  const { agent } = parts;
  const asked = new A2aAgent(exchange, { agent, sdk, card: cardOf(agent.name, "") });
  const Transport =
    version === "0.3" ? sdk.LegacyJsonRpcTransportHandler : sdk.JsonRpcTransportHandler;
  const context = new sdk.ServerCallContext({ requestedVersion: version });
  const answer = (await new Transport(asked).handle(request, context)) as Answer;
  if (Symbol.asyncIterator in answer || !answer.error) return answer;
  return { ...answer, error: told(exchange, answer.error) };
}

async function carriedOut(answer: Answer): Promise<void> {
  if (Symbol.asyncIterator in answer) for await (const _ of answer);
}

async function sendEvents(call: Call, events: AsyncIterable<unknown>, id: RpcId): Promise<void> {
  const { exchange, parts, sdk } = call;
  const stream = new EventStream(exchange, parts.patience);
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

function errorFor({ exchange, sdk, version }: Call, thrown: unknown): RpcError {
  if (thrown instanceof HostFault) exchange.fail(thrown);
  return told(exchange, errorOf(thrown, { sdk, version }));
}

type Speech = Pick<Call, "sdk" | "version">;

function errorOf(thrown: unknown, { sdk, version }: Speech): RpcError {
  if (thrown instanceof AgnoChatError) {
    const { code, message, rpc } = failureOf(thrown);
    // The body could not even be read as text.
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

/** The SDK quotes whatever was thrown inside of it: only what `A2aAgent` had put into words may go out. */
function told(exchange: Exchange, error: RpcError): RpcError {
  const known = error.code !== INTERNAL_ERROR || exchange.failure !== undefined;
  exchange.failure ??= known ? String(error.code) : "INTERNAL";
  return known ? error : { code: INTERNAL_ERROR, message: failureOf(undefined).message };
}

const unknownVersion = () =>
  new A2aFault("VersionNotSupportedError", "Only A2A 1.0 and 0.3 are spoken here.");
