// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates that are filled in here

import { randomUUID } from "node:crypto";
import { AgnoChatError } from "../../errors.js";
import { DEFAULT_SESSION_ID, DEFAULT_USER_ID } from "../../ids.js";
import { parseJson } from "../../json.js";
import { eventsIn } from "../../models/openai/sse.js";
import type { KnownKeys } from "../../options.js";
import type { Whose } from "../finding.js";
import { a2aReply, a2aShapes, OtherVersion } from "./a2a-shape.js";
import type { Door, Outgoing } from "./door.js";

/** How to talk to an app over HTTP. In every template `${user}` and `${session}` are filled in. */
export interface ChatAppOptions {
  readonly url: string;
  /**
   * The shape of a message: `chat` (default); `openai`, a chat.completions request with `user`, or
   * a responses request with a `conversation` too if the URL ends with `/responses`; or `a2a`, of
   * 1.0 or else 0.3, whose context is the session if a header names the user, otherwise the user.
   */
  readonly as?: "chat" | "openai" | "a2a" | undefined;
  /** A JSON template, with `${message}` as well, and `${id}`, a new one for each message. */
  readonly body?: string | undefined;
  /** Where the reply is, like `.choices[0].message.content`. */
  readonly reply?: string | undefined;
  /** Templates like `X-User: ${user}`. */
  readonly headers?: readonly string[] | undefined;
  /** The bearer token of a user, for an app that lets in who has one. */
  readonly tokenOf?: ((userId: string) => string) | undefined;
  /** A route that clears a user or session, like `DELETE http://localhost/history/${user}`. */
  readonly clear?: string | undefined;
}

export const CHAT_APP_KEYS: KnownKeys<ChatAppOptions> = {
  url: true,
  as: true,
  body: true,
  reply: true,
  headers: true,
  tokenOf: true,
  clear: true,
};

/** An app over HTTP. */
export interface ChatApp extends Door {
  /** Whether messages name their session. */
  readonly namesSession: boolean;
  readonly clear: ((whose: Whose, signal: AbortSignal) => Promise<void>) | undefined;
  /** Whether `clear` names the session, and so leaves the user's others. */
  readonly clearsSession: boolean;
}

/** The app says that it did not take the message. */
export class NotTaken extends Error {
  /** How long the app asks to wait. */
  readonly waitMs: number | undefined;
  /** Whether it asks for the same message again: it answered 503, or 429 and when to come back. */
  readonly asksAgain: boolean;

  constructor(status: number, waitMs: number | undefined) {
    super(`The app answered ${status}.`);
    this.waitMs = waitMs;
    this.asksAgain = status === 503 || (status === 429 && waitMs !== undefined);
  }
}

/** The app does not let this user in: it answered 403 or 404. */
export class Refused extends AgnoChatError {}

/** The app may have taken the message or not. */
export class Unsure extends Error {}

const SHAPES = {
  chat: { body: '{"user_id":"${user}","message":"${message}"}', reply: ".reply" },
  openai: {
    body: '{"model":"verify","user":"${user}","messages":[{"role":"user","content":"${message}"}]}',
    reply: ".choices[0].message.content",
  },
  responses: {
    body: '{"model":"verify","user":"${user}","conversation":"${session}","input":"${message}"}',
    reply: ".output[0].content[0].text",
  },
} as const;

/**
 * Sends messages to an app. A send rejects with `NotTaken` (409, 429, 503), `Unsure` (any other
 * 5xx, a broken connection), `Refused` (403, 404), or an `AgnoChatError`.
 * @throws {AgnoChatError} `USAGE` for a template that cannot work
 */
export function chatApp(options: ChatAppOptions): ChatApp {
  const { headers = [], clear, url, tokenOf } = options;
  const namesUser = tokenOf !== undefined || headers.some((text) => text.includes("${user}"));
  const dialects = dialectsOf(options, namesUser ? "${session}" : "${user}");
  for (const { body } of dialects) checkBody(body);
  const names = headers.map(parseHeader);
  const route = clear === undefined ? undefined : parseRoute(clear);
  const headersOf = (whose: Whose): Record<string, string> => ({
    ...(tokenOf && { authorization: `Bearer ${tokenOf(whose.userId)}` }),
    ...Object.fromEntries(names.map(([name, template]) => [name, headerValue(template, whose)])),
  });
  return {
    name: `POST ${urlWithoutQuery(url)}`,
    namesSession: [...dialects.map(({ body }) => body), url, ...headers].some((text) =>
      text.includes("${session}"),
    ),
    clearsSession: [clear ?? "", ...headers].some((text) => text.includes("${session}")),
    async send(message, signal) {
      const target = fill(url, message, encodeURIComponent);
      const id = randomUUID();
      for (;;) {
        const { body, headers: more, read } = dialects[0] as Dialect;
        const sent = { "content-type": "application/json", ...more, ...headersOf(message) };
        const text = fill(body, message, jsonEscaped, id);
        const init = { method: "POST", headers: sent, body: text, signal };
        const response = await request(target, init, message.onAnswer);
        try {
          return await read(response);
        } catch (thrown) {
          if (thrown instanceof OtherVersion && dialects.length > 1) dialects.shift();
          else throw thrown instanceof AgnoChatError ? thrown : broken(thrown, signal);
        }
      }
    },
    clear:
      route &&
      (async (whose, signal) => {
        const target = fill(route.url, whose, encodeURIComponent);
        await request(target, { method: route.method, headers: headersOf(whose), signal });
      }),
  };
}

/** One way to write a message and to read the answer. */
interface Dialect {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly read: (response: Response) => Promise<string>;
}

function dialectsOf(
  { as = "chat", url, body, reply }: ChatAppOptions,
  context: "${session}" | "${user}",
): Dialect[] {
  if (as === "a2a") {
    const read = async (response: Response) => a2aReply(parseJson(await response.text()));
    return a2aShapes(context).map((shape) => ({ ...shape, read }));
  }
  const isResponses = as === "openai" && urlWithoutQuery(url).endsWith("/responses");
  const shape = SHAPES[isResponses ? "responses" : as];
  const path = parsePath(reply ?? shape.reply);
  return [{ body: body ?? shape.body, headers: {}, read: (response) => readReply(response, path) }];
}

interface Sent extends RequestInit {
  readonly signal: AbortSignal;
}

/** One request; resolves to an answer below 400 that has come to its end. */
async function request(
  url: string,
  init: Sent,
  onAnswer?: Outgoing["onAnswer"],
): Promise<Response> {
  const { response, text } = await answerTo(url, init).catch((thrown) => {
    throw broken(thrown, init.signal);
  });
  onAnswer?.(text);
  if (response.ok) return response;
  const { status } = response;
  if (status === 409 || status === 429 || status === 503)
    throw new NotTaken(status, retryAfter(response));
  if (status >= 500) throw new Unsure(`The app answered ${status}.`);
  const Failure = status === 403 || status === 404 ? Refused : AgnoChatError;
  throw new Failure("INVALID_INPUT", `The app answered ${status}.`, {
    hint: "Check the URL, the headers and the body.",
  });
}

/** An answer, and its headers and body as text. */
async function answerTo(url: string, init: Sent) {
  const response = await fetch(url, init);
  const text = await response.clone().text();
  return { response, text: [...response.headers, text].flat().join("\n") };
}

const broken = (thrown: unknown, signal: AbortSignal): unknown =>
  signal.aborted ? signal.reason : new Unsure(`The connection broke: ${String(thrown)}.`);

function retryAfter({ headers }: Response): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

async function readReply(response: Response, path: readonly string[]): Promise<string> {
  const isStream = response.headers.get("content-type")?.includes("text/event-stream") === true;
  if (isStream && response.body !== null) return readStream(response.body, path);
  const reply = at(parseJson(await response.text()), path);
  if (typeof reply === "string") return reply;
  throw new AgnoChatError("INVALID_INPUT", `The app's answer has no text at ${shown(path)}.`, {
    hint: "Name the place of the reply.",
  });
}

/** Adds up the pieces of a streamed reply; an event that has the whole reply stands for all. */
async function readStream(body: AsyncIterable<Uint8Array>, path: readonly string[]) {
  let text = "";
  for await (const data of eventsIn(body)) {
    if (data === "[DONE]") continue;
    const event = parseJson(data);
    const whole = at(event, path) ?? at(event, ["response", ...path]);
    const piece = at(event, ["choices", "0", "delta", "content"]) ?? at(event, ["text"]);
    if (typeof whole === "string") text = whole;
    else if (typeof piece === "string") text += piece;
    else if (event === undefined) text += data;
  }
  return text;
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

/** The keys of `.path.to[0]`. */
function parsePath(text: string): readonly string[] {
  if (!/^(?:\.[^.[\]]+|\[\d+\])+$/.test(text))
    throw new AgnoChatError("USAGE", `Not a place in a JSON value: ${text}`, {
      hint: "Write it like .choices[0].message.content.",
    });
  return [...text.matchAll(/[^.[\]]+/g)].map(([key]) => key);
}

const shown = (path: readonly string[]): string =>
  path.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join("");

function checkBody(template: string): void {
  const sample = { userId: DEFAULT_USER_ID, sessionId: DEFAULT_SESSION_ID, text: "t" };
  if (parseJson(fill(template, sample, jsonEscaped)) === undefined)
    throw new AgnoChatError("USAGE", "body is not JSON.", {
      hint: 'Write it like {"user":"${user}","text":"${message}"}.',
    });
  if (!template.includes("${message}"))
    throw new AgnoChatError("USAGE", "body does not contain ${message}.");
}

function parseHeader(text: string): readonly [name: string, template: string] {
  const [, name, template] = /^([\w-]+):\s*(.*)$/s.exec(text) ?? [];
  if (name !== undefined && template !== undefined && !/[\r\n]/.test(template))
    return [name, template];
  throw new AgnoChatError("USAGE", "A header must be one line with a name and a colon.", {
    hint: "Write it like 'X-User: ${user}'.",
  });
}

function headerValue(template: string, whose: Whose): string {
  const value = fill(template, whose, String);
  if (!/[\r\n]/.test(value)) return value;
  throw new AgnoChatError("USAGE", "A header would contain a line break.");
}

function parseRoute(text: string): { readonly method: string; readonly url: string } {
  const [, method, url] = /^([A-Z]+) (https?:\/\/\S+)$/.exec(text) ?? [];
  if (method !== undefined && url !== undefined) return { method, url };
  throw new AgnoChatError("USAGE", "clear must be a method and a URL.", {
    hint: "Write it like 'DELETE http://localhost:8080/history/${user}'.",
  });
}

const urlWithoutQuery = (url: string): string => url.replace(/[?#].*/s, "");

const jsonEscaped = (text: string): string => JSON.stringify(text).slice(1, -1);

/** Fills in a template in one pass, so that no value is read as a template. */
function fill(
  template: string,
  whose: Whose | Outgoing,
  escaped: (text: string) => string,
  id?: string,
): string {
  const values: Readonly<Record<string, string | undefined>> = {
    user: whose.userId,
    session: whose.sessionId,
    message: "text" in whose ? whose.text : undefined,
    id,
  };
  return template.replace(/\$\{(user|session|message|id)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : escaped(value);
  });
}
