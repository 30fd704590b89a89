import { AgnoChatError } from "../../errors.js";
import { asRecord, parseJson } from "../../json.js";
import type { ApiServer } from "./api-server.js";
import { HttpFailure } from "./http-errors.js";
import { reasonOf } from "./reason.js";

/**
 * Parses the JSON of one event.
 * @throws {HttpFailure} for an error that a server reports inside a 200
 * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` for anything that is not a JSON object or list
 */
export function parseChunk(data: string, server: ApiServer): unknown {
  const chunk = parseJson(data);
  if (typeof chunk !== "object" || chunk === null) throw unreadable(data, server);
  const error = errorIn(chunk);
  if (error !== undefined)
    throw new HttpFailure(statusOf(error), new Headers(), JSON.stringify(error));
  return chunk;
}

function unreadable(data: string, server: ApiServer): AgnoChatError {
  const what = data.trimStart().startsWith("<") ? "a web page" : "something unreadable";
  const message = `${server.host} sent ${what} instead of an answer.`;
  return new AgnoChatError("MODEL_BAD_RESPONSE", message, {
    hint: "Check that the base URL is that of an OpenAI-compatible API; it usually ends in /v1.",
  });
}

/**
 * The chunk itself when it reports an error: under `error`, or as a message without any choices.
 */
function errorIn(chunk: object): object | undefined {
  const { error, choices, message, detail } = asRecord(Array.isArray(chunk) ? chunk[0] : chunk);
  if (error) return chunk;
  return choices === undefined && (message || detail) ? chunk : undefined;
}

/** The status the server would have sent before the answer began. */
function statusOf(error: object): number {
  const { code, type } = reasonOf(error);
  if (/^[45]\d\d$/.test(code)) return Number(code);
  const name = `${code} ${type}`;
  if (/rate_limit|quota/.test(name)) return 429;
  if (/auth|api_key|permission/.test(name)) return 401;
  return /invalid|exceed|not_found/.test(name) ? 400 : 500;
}
