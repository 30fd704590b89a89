import { list, parseJson, record, string } from "./json.js";

/** Why a server refused, as far as it said. What it did not say is "". Raw: to be redacted before anybody sees it. */
export interface Reason {
  readonly message: string;
  /** A name such as `context_length_exceeded`; some servers put a number here. */
  readonly code: string;
  readonly type: string;
  /** The argument it complains about. */
  readonly param: string;
}

/**
 * Reads an error body of any server: `{error: {…}}`, `{error: "…"}`, `{message}`, `{detail: "…"}`, `{detail: […]}`, a list
 * of one of these, plain text, an HTML page, or nothing.
 */
export function reasonIn(body: string): Reason {
  const parsed = parseJson(body);
  if (typeof parsed === "object" && parsed !== null) return reasonOf(parsed);
  return said(body.trimStart().startsWith("<") ? titleOf(body) : body);
}

/** As `reasonIn`, for a body that is parsed. */
export function reasonOf(parsed: unknown): Reason {
  const body = record(Array.isArray(parsed) ? parsed[0] : parsed);
  if (typeof body.error === "string") return { ...said(body.error), code: text(body.code) };
  const error = record(body.error ?? body);
  return {
    message: messageOf(error),
    code: text(error.code),
    type: text(error.type),
    param: text(error.param),
  };
}

const said = (message: string): Reason => ({ message, code: "", type: "", param: "" });

const text = (value: unknown): string => (typeof value === "number" ? `${value}` : string(value));

function messageOf(error: Readonly<Record<string, unknown>>): string {
  const own = string(error.message) || detailOf(error.detail ?? error.message);
  const behind = string(record(error.metadata).raw); // a router quotes the provider behind it
  return [own, reasonInQuote(behind)].filter(Boolean).join(": ");
}

function reasonInQuote(quoted: string): string {
  return quoted === "" ? "" : reasonIn(quoted).message;
}

/** A list of faults, each with the path of what it is about, or anything else as JSON. */
function detailOf(detail: unknown): string {
  if (detail === undefined || detail === null) return "";
  if (typeof detail === "string") return detail;
  if (!Array.isArray(detail)) return JSON.stringify(detail);
  return detail
    .map((fault) => {
      const { loc, msg } = record(fault);
      return [list(loc).join("."), string(msg) || JSON.stringify(fault)].filter(Boolean).join(": ");
    })
    .join("; ");
}

const titleOf = (html: string): string => /<title[^>]*>([^<]*)/i.exec(html)?.[1]?.trim() ?? "";
