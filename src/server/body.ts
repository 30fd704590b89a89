import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { AgnoChatError } from "../errors.js";
import { isObject } from "../json.js";
import { ConfigurationFault } from "./failure-answer.js";

const MiB = 1024 * 1024;
const LONGEST_BODY = MiB;
/** A longer body is cut off instead of being drained before the refusal. */
const LONGEST_DRAINED = 16 * MiB;
/** Over all requests, so that many slow senders cannot exhaust the process's memory. */
const MOST_AT_ONCE = 64 * MiB;

/** Reads the bodies of one server's requests. */
export class BodyReader {
  #held = 0;

  /**
   * The JSON text of a request.
   * @throws {AgnoChatError} `UNSUPPORTED_MEDIA_TYPE`, `TOO_LARGE`, `INVALID_INPUT` if it is not
   *   UTF-8, `BUSY`, `CANCELLED` if the client is gone, `CONFIG_INVALID` if a middleware has read
   *   the body
   */
  async read(request: IncomingMessage): Promise<string> {
    refuseConsumed(request);
    const body = await this.#collect(request, refusalOf(request));
    if (!isUtf8(body)) throw new AgnoChatError("INVALID_INPUT", "The body is not UTF-8.");
    return body.toString("utf8");
  }

  /** Drains the body even when it is refused, so that the client receives the answer. */
  #collect(request: IncomingMessage, refusal: AgnoChatError | undefined): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let chunks: Buffer[] = [];
      let length = 0;
      let held = 0;
      const drop = () => {
        chunks = [];
        this.#held -= held;
        held = 0;
      };
      request.on("data", (chunk: Buffer) => {
        length += chunk.length;
        refusal ??= this.#refusalOf(length, chunk.length);
        if (length > LONGEST_DRAINED) request.destroy();
        if (refusal) return drop();
        chunks.push(chunk);
        held += chunk.length;
        this.#held += chunk.length;
      });
      request.once("end", () => (refusal ? reject(refusal) : resolve(joined(chunks))));
      request.once("error", () => reject(refusal ?? hungUp()));
      request.once("close", () => {
        drop();
        if (!request.readableEnded) reject(refusal ?? hungUp());
      });
    });
  }

  #refusalOf(length: number, more: number): AgnoChatError | undefined {
    if (length > LONGEST_BODY)
      return new AgnoChatError("TOO_LARGE", "The body is longer than 1 MiB.");
    if (this.#held + more <= MOST_AT_ONCE) return undefined;
    return new AgnoChatError("BUSY", "Too many bodies are being sent at once.", {
      hint: "Try again.",
    });
  }
}

/** A body that was already read would never emit another event. */
function refuseConsumed(request: IncomingMessage): void {
  if (request.readableDidRead || request.readableEnded)
    throw new ConfigurationFault(
      "The body was read before this handler. Leave it to the server to read.",
    );
  if (request.destroyed) throw hungUp();
}

const joined = (chunks: readonly Buffer[]): Buffer =>
  chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);

/** Why a body is refused by its headers: it must be declared as uncompressed JSON in UTF-8. */
function refusalOf({ headers }: IncomingMessage): AgnoChatError | undefined {
  const type = headers["content-type"] ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) return notJson();
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type)?.[1] ?? "utf-8";
  if (!/^utf-?8$/i.test(charset))
    return new AgnoChatError("UNSUPPORTED_MEDIA_TYPE", "The body must be in UTF-8.", {
      hint: "Leave out the charset.",
    });
  if (headers["content-encoding"] === undefined) return undefined;
  return new AgnoChatError("UNSUPPORTED_MEDIA_TYPE", "The body must not be compressed.", {
    hint: "Leave out Content-Encoding.",
  });
}

const hungUp = () => new AgnoChatError("CANCELLED", "The client hung up.");

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
