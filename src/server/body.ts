import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { AgnoChatError } from "../errors.js";
import { isObject } from "../json.js";
import { ConfigurationFault } from "./failure-answer.js";

const MiB = 1024 * 1024;
const LONGEST_BODY = MiB;
/** Nearly every message. It is taken even while long bodies of others fill the room for all. */
const SHORT_BODY = 4 * 1024;
/** A longer body is cut off instead of being drained before the refusal. */
const LONGEST_DRAINED = 16 * MiB;

/**
 * One body on its way in. It is taken to its end even when it is refused, so that the client
 * receives the answer.
 */
export class Intake {
  readonly #quota: BodyQuota;
  #refusal: AgnoChatError | undefined;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #held = 0;

  constructor(quota: BodyQuota, headers: IncomingHttpHeaders) {
    this.#quota = quota;
    this.#refusal = refusalOf(headers);
  }

  /** @returns false when no more should be read */
  add(chunk: Uint8Array): boolean {
    this.#length += chunk.length;
    this.#refusal ??= this.#refusalOf(chunk.length);
    if (this.#refusal) this.release();
    else this.#hold(chunk);
    return this.#length <= LONGEST_DRAINED;
  }

  /**
   * The JSON text, once all of it is there.
   * @throws {AgnoChatError} `UNSUPPORTED_MEDIA_TYPE`, `TOO_LARGE`, `BUSY`, `INVALID_INPUT` if it is
   *   not UTF-8
   */
  text(): string {
    if (this.#refusal) throw this.#refusal;
    const body = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.release();
    return textOf(body as Uint8Array);
  }

  /** Why a body is refused that will never be complete. */
  refusalFor(reason: AgnoChatError): AgnoChatError {
    this.release();
    return this.#refusal ?? reason;
  }

  /** Forgets what is held. */
  release(): void {
    this.#chunks = [];
    this.#quota.held -= this.#held;
    this.#held = 0;
  }

  #hold(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    this.#quota.held += chunk.length;
  }

  #refusalOf(more: number): AgnoChatError | undefined {
    if (this.#length > LONGEST_BODY)
      return new AgnoChatError("TOO_LARGE", "The body is longer than 1 MiB.");
    if (this.#length <= SHORT_BODY || this.#quota.held + more <= MOST_AT_ONCE) return undefined;
    return new AgnoChatError("BUSY", "Too many bodies are being sent at once.", {
      hint: "Try again.",
    });
  }
}

/** Over all requests of a server, so that many slow senders cannot exhaust the memory. */
const MOST_AT_ONCE = 64 * MiB;

export interface BodyQuota {
  /** Bytes held at the moment. */
  held: number;
}

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function textOf(body: Uint8Array): string {
  if (!isUtf8(body)) throw new AgnoChatError("INVALID_INPUT", "The body is not UTF-8.");
  return bufferOf(body).toString("utf8");
}

/**
 * Reads the body of a Node request.
 * @throws {AgnoChatError} rejects as `Intake.text`, and with `CANCELLED` if the client is gone or
 *   `CONFIG_INVALID` if a middleware has read the body
 */
export function readNodeBody(request: IncomingMessage, quota: BodyQuota): Promise<string> {
  return new Promise((resolve, reject) => {
    // A body that was already read would never emit another event.
    if (request.readableDidRead || request.readableEnded) throw readBefore();
    if (request.destroyed) throw hungUp();
    const intake = new Intake(quota, request.headers);
    request.on("data", (chunk: Buffer) => {
      if (!intake.add(chunk)) request.destroy();
    });
    request.on("end", () => {
      try {
        resolve(intake.text());
      } catch (thrown) {
        reject(thrown);
      }
    });
    const stop = () => {
      if (!request.readableEnded) reject(intake.refusalFor(hungUp()));
    };
    request.on("error", stop);
    request.on("close", stop);
  });
}

/** Why a body is refused by its headers: it must be declared as uncompressed JSON in UTF-8. */
function refusalOf(headers: IncomingHttpHeaders): AgnoChatError | undefined {
  const type = headers["content-type"] ?? "";
  const encoding = headers["content-encoding"];
  if (type === "application/json" && encoding === undefined) return undefined;
  if (!/^application\/json\s*(;|$)/i.test(type)) return notJson();
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type)?.[1] ?? "utf-8";
  if (!/^utf-?8$/i.test(charset))
    return new AgnoChatError("UNSUPPORTED_MEDIA_TYPE", "The body must be in UTF-8.", {
      hint: "Leave out the charset.",
    });
  if (encoding === undefined) return undefined;
  return new AgnoChatError("UNSUPPORTED_MEDIA_TYPE", "The body must not be compressed.", {
    hint: "Leave out Content-Encoding.",
  });
}

export const readBefore = () =>
  new ConfigurationFault("The body was read before this handler. Leave it to the server to read.");

export const hungUp = () => new AgnoChatError("CANCELLED", "The client hung up.");

const notJson = () =>
  new AgnoChatError("UNSUPPORTED_MEDIA_TYPE", "The body must be JSON.", {
    hint: "Send it with Content-Type: application/json.",
  });

/**
 * Parses a JSON text that must be an object.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  const value = parse(text);
  if (isObject(value)) return value;
  throw new AgnoChatError("INVALID_INPUT", "The body must be a JSON object.");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new AgnoChatError("INVALID_INPUT", "The body is not valid JSON.");
  }
}
