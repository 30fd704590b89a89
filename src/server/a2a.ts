import { AgnoChatError, ERROR_TABLE } from "../errors.js";
import { A2aAgent } from "./a2a-agent.js";
import { A2aFault, type A2aRequest, checkParams, envelopeOf } from "./a2a-request.js";
import { type A2aVersion, versionOf } from "./a2a-version.js";
import { cardOf } from "./agent-card.js";
import type { ChatParts } from "./chat.js";
import type { Exchange } from "./exchange.js";
import { failureOf, HostFault } from "./failure.js";
import { EventWriter, sendJson } from "./reply.js";

export type A2aSdk = Awaited<ReturnType<typeof loadSdk>>;
export type A2aRequestHandler = ConstructorParameters<A2aSdk["JsonRpcTransportHandler"]>[0];

let loading: Promise<A2aSdk> | undefined;

/** Only who speaks A2A waits for it. */
async function loadSdk() {
  const [types, server, errors, legacy] = await Promise.all([
    import("@a2a-js/sdk"),
    import("@a2a-js/sdk/server"),
    import("@a2a-js/sdk/errors"),
    import("@a2a-js/sdk/compat/v0_3/server"),
  ]);
  const { Role, TaskState, formatSSEEvent } = types;
  const { JsonRpcTransportHandler, ServerCallContext } = server;
  const { LegacyJsonRpcTransportHandler } = legacy;
  return {
    ...errors,
    Role,
    TaskState,
    formatSSEEvent,
    ServerCallContext,
    JsonRpcTransportHandler,
    LegacyJsonRpcTransportHandler,
  };
}

/**
 * `POST /a2a`: JSON-RPC 2.0 of the Agent2Agent protocol, versions 1.0 and 0.3. What cannot be a request is answered here;
 * the SDK translates the rest between the wire and `A2aAgent`.
 */
export async function answerA2a(exchange: Exchange, parts: ChatParts): Promise<void> {
  loading ??= loadSdk();
  const sdk = await loading;
  const version = versionOf(exchange.request);
  let request: A2aRequest | undefined;
  try {
    request = envelopeOf(await parts.bodies.read(exchange.request));
    if (version === undefined) throw unknownVersion();
    checkParams(request, version);
    await answerRequest(exchange, request, { ...parts, sdk, version });
  } catch (thrown) {
    if (exchange.response.headersSent) throw thrown;
    if (thrown instanceof HostFault) exchange.fail(thrown);
    const error = told(exchange, errorOf(thrown, { sdk, version }));
    const status = thrown instanceof AgnoChatError ? ERROR_TABLE[thrown.code].http : 200;
    sendJson(exchange.response, { jsonrpc: "2.0", id: request?.id ?? null, error }, { status });
  }
}

interface Speech {
  readonly sdk: A2aSdk;
  readonly version: A2aVersion | undefined;
}

async function answerRequest(
  exchange: Exchange,
  request: A2aRequest,
  { agent, patience, sdk, version }: ChatParts & Speech & { version: A2aVersion },
): Promise<void> {
  const asked = new A2aAgent(exchange, { agent, sdk, card: cardOf(agent.name, "") });
  const Transport =
    version === "0.3" ? sdk.LegacyJsonRpcTransportHandler : sdk.JsonRpcTransportHandler;
  const context = new sdk.ServerCallContext({ requestedVersion: version });
  const answer = await new Transport(asked).handle(request, context);
  if (Symbol.asyncIterator in answer) return sendEvents(exchange, answer, { sdk, patience });
  const { error } = answer as { error?: RpcError };
  sendJson(exchange.response, error ? { ...answer, error: told(exchange, error) } : answer);
}

async function sendEvents(
  exchange: Exchange,
  events: AsyncIterable<unknown>,
  { sdk, patience }: { readonly sdk: A2aSdk; readonly patience: number },
): Promise<void> {
  let writer: EventWriter | undefined;
  for await (const event of events) {
    writer ??= new EventWriter(exchange, patience);
    await writer.write(sdk.formatSSEEvent(event));
  }
  exchange.response.end();
}

interface RpcError {
  readonly code: number;
  readonly message: string;
}

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const INTERNAL_ERROR = -32603;

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
