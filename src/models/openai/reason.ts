import { asList, asRecord, asString, parseJson } from "../../json.js";

/** Why a server refused, in its own words; "" where it gave none. Redact before showing. */
export interface Reason {
  readonly message: string;
  /** A name such as `context_length_exceeded`; some servers send a number. */
  readonly code: string;
  readonly type: string;
  /** The parameter at fault. */
  readonly param: string;
}

/**
 * Reads the error body of any server: `{error: {…}}`, `{error: "…"}`, `{message}`, `{detail: "…"}`,
 * `{detail: […]}`, a list of one of these, plain text, an HTML page, or nothing.
 */
export function reasonIn(body: string): Reason {
  const parsed = parseJson(body);
  if (typeof parsed === "object" && parsed !== null) return reasonOf(parsed);
  return messageOnly(body.trimStart().startsWith("<") ? titleOf(body) : body);
}

/** Like `reasonIn`, for a parsed body. */
export function reasonOf(parsed: unknown): Reason {
  const body = asRecord(Array.isArray(parsed) ? parsed[0] : parsed);
  if (typeof body.error === "string") return { ...messageOnly(body.error), code: text(body.code) };
  const error = asRecord(body.error ?? body);
  return {
    message: messageOf(error),
    code: text(error.code),
    type: text(error.type),
    param: text(error.param),
  };
}

const messageOnly = (message: string): Reason => ({ message, code: "", type: "", param: "" });

const text = (value: unknown): string => (typeof value === "number" ? `${value}` : asString(value));

function messageOf(error: Readonly<Record<string, unknown>>): string {
  const own = asString(error.message) || detailOf(error.detail ?? error.message);
  const quoted = asString(asRecord(error.metadata).raw); // a router quotes the provider it called
  return [own, reasonInQuote(quoted)].filter(Boolean).join(": ");
}

function reasonInQuote(quoted: string): string {
  return quoted === "" ? "" : reasonIn(quoted).message;
}

/** A list of faults, each with its path; anything else as JSON. */
function detailOf(detail: unknown): string {
  if (detail === undefined || detail === null) return "";
  if (typeof detail === "string") return detail;
  if (!Array.isArray(detail)) return JSON.stringify(detail);
  return detail
    .map((fault) => {
      const { loc, msg } = asRecord(fault);
      return [asList(loc).join("."), asString(msg) || JSON.stringify(fault)]
        .filter(Boolean)
        .join(": ");
    })
    .join("; ");
}

const titleOf = (html: string): string => /<title[^>]*>([^<]*)/i.exec(html)?.[1]?.trim() ?? "";
