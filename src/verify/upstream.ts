import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AgnoChatError } from "../errors.js";
import { isObject, parseJson } from "../json.js";
import type { Message, ToolCall } from "../messages.js";
import type { Answer, ReceivedRequest } from "./recorder.js";
import { toReceivedRequest } from "./wire-request.js";

/** Histories grow while a check runs; nothing that is sent to it may exhaust the memory. */
const LONGEST_BODY = 32 * 1024 * 1024;

const MODEL = "verify";

export interface UpstreamOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Answers one request. */
  readonly answer: (request: ReceivedRequest, signal: AbortSignal) => Promise<Answer>;
}

/** A running upstream. */
export interface Upstream {
  /** The base URL for an app's client, with `/v1`. */
  readonly url: string;
  /** Ends every connection, and the requests that are held. */
  close(): Promise<void>;
}

/**
 * Serves answers as an OpenAI-compatible model: `POST /v1/chat/completions`, streamed or not, and
 * `GET /v1/models`; also without `/v1`.
 * @throws {AgnoChatError} `ADDRESS_IN_USE` when the address is taken
 */
export async function openUpstream({ host, port, answer }: UpstreamOptions): Promise<Upstream> {
  const server = createServer((request, response) => {
    serve(request, response, answer).catch((thrown) => fail(response, thrown));
  });
  await listening(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${name}:${bound}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", ({ message }) =>
      reject(
        new AgnoChatError("ADDRESS_IN_USE", `Could not listen on ${host}:${port}: ${message}.`),
      ),
    );
    server.listen(port, host, () => resolve());
  });

/** A refusal in OpenAI's format. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  answer: UpstreamOptions["answer"],
): Promise<void> {
  const path = (request.url ?? "/").replace(/\?.*/s, "").replace(/^\/v1(?=\/)/, "");
  if (path === "/models" && request.method === "GET")
    return sendJson(response, 200, {
      object: "list",
      data: [{ id: MODEL, object: "model", created: 0, owned_by: MODEL }],
    });
  if (path !== "/chat/completions") throw new Refusal(404, "There is no such route.");
  if (request.method !== "POST") throw new Refusal(405, "Send this with POST.");
  const body = parse(await bodyOf(request));
  const received = toReceivedRequest(body);
  if (received === undefined) throw new Refusal(400, "messages must be a list of chat messages.");
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const said = await answer(received, gone.signal);
  // A client would try again after a failure, but not after a refusal.
  if (said.kind === "fail") throw new Refusal(400, said.error.message);
  const usage = usageOf(received.messages, said);
  if (body.stream !== true) return sendWhole(response, said, usage);
  const options = body.stream_options as { include_usage?: unknown } | undefined;
  sendStream(response, said, options?.include_usage === true ? usage : undefined);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw new Refusal(413, "The body is too long.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  if (isObject(value)) return value;
  throw new Refusal(400, "The body must be a JSON object.");
}

interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** Four characters a token, as an estimate that any app can add up. */
function usageOf(messages: readonly Message[], said: Answer): WireUsage {
  const prompt = messages.reduce((sum, { content }) => sum + tokensIn(content), 0);
  const completion = "text" in said ? tokensIn(said.text ?? "") : 1;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}

const tokensIn = (text: string): number => Math.ceil(text.length / 4);

const head = (object: string) => ({ id: "chatcmpl-verify", object, created: 0, model: MODEL });

function sendWhole(response: ServerResponse, said: Answer, usage: WireUsage): void {
  // An answer that stops midway never becomes whole: the caller has to give up.
  if (said.kind === "wait") return;
  const isText = said.kind === "text";
  const message =
    said.kind === "text"
      ? { role: "assistant", content: said.text }
      : { role: "assistant", content: textOf(said), tool_calls: wireCalls(said) };
  const choice = { index: 0, message, finish_reason: isText ? "stop" : "tool_calls" };
  sendJson(response, 200, { ...head("chat.completion"), choices: [choice], usage });
}

function sendStream(response: ServerResponse, said: Answer, usage: WireUsage | undefined): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const send = (delta: object, finish_reason: string | null = null): void =>
    event(response, { choices: [{ index: 0, delta, finish_reason }] });
  if (said.kind === "text" || said.kind === "wait") {
    const middle = Math.floor(said.text.length / 2);
    send({ role: "assistant", content: said.text.slice(0, middle) });
    send({ content: said.text.slice(middle) });
  } else send({ role: "assistant", content: textOf(said), tool_calls: wireCalls(said) });
  if (said.kind === "wait") return;
  send({}, said.kind === "text" ? "stop" : "tool_calls");
  if (usage !== undefined) event(response, { choices: [], usage });
  response.end("data: [DONE]\n\n");
}

const event = (response: ServerResponse, fields: object): void =>
  void response.write(
    `data: ${JSON.stringify({ ...head("chat.completion.chunk"), ...fields })}\n\n`,
  );

/** What is said beside calls of tools. */
const textOf = (said: Answer): string | null => ("text" in said && said.text) || null;

function wireCalls(said: Answer): object[] {
  const calls: readonly ToolCall[] = said.kind === "tools" ? said.calls : [];
  return calls.map(({ id, name, arguments: text }, index) => ({
    ...{ index, id, type: "function" },
    function: { name, arguments: text },
  }));
}

function fail(response: ServerResponse, thrown: unknown): void {
  if (response.destroyed || response.headersSent) return void response.destroy();
  const { status, message } =
    thrown instanceof Refusal ? thrown : new Refusal(500, "The check itself failed.");
  const type = status < 500 ? "invalid_request_error" : "server_error";
  // The check planned it: another attempt would only be counted as another request.
  response.setHeader("x-should-retry", "false");
  sendJson(response, status, { error: { message, type, param: null, code: null } });
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
