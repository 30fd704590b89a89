import { LIMITS } from "../limits.js";

/** Thrown before a server that never ends an event could exhaust memory. */
export class EventTooLongError extends Error {}

/**
 * Yields the data of every server-sent event in a body, in order (WHATWG HTML, "Server-sent
 * events"). Skips comments, names and ids. A body that starts with `{`, `[` or `<` is one document,
 * yielded whole like one event: servers send those when they fail or do not stream.
 * @throws {EventTooLongError} when one event is longer than 8 million characters
 */
export async function* eventsIn(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const data: string[] = [];
  let length = 0;
  let kind: "unknown" | "events" | "document" = "unknown";
  for await (const text of decoded(body)) {
    rest += text;
    if (length + rest.length > LIMITS.event) throw new EventTooLongError();
    if (kind === "unknown") {
      rest = rest.trimStart(); // endless blank lines must not pile up
      kind = kindOf(rest);
    }
    if (kind !== "events" || !/[\r\n]/.test(text)) continue;
    const lines = rest.split(LINE_END);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        data.push(...dataOf(line));
        length += line.length;
      } else {
        length = 0;
        if (data.length > 0) yield data.splice(0).join("\n");
      }
    }
  }
  if (kind === "document") yield rest;
  else data.push(...rest.split(LINE_END).flatMap(dataOf)); // the last blank line may be missing
  if (data.length > 0) yield data.join("\n");
}

/** CR, LF or CRLF. A CR at the very end waits for a possible LF in the next bytes. */
const LINE_END = /\r\n|\n|\r(?!$)/;

async function* decoded(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder(); // drops a byte order mark
  for await (const bytes of body) yield decoder.decode(bytes, { stream: true });
  yield decoder.decode();
}

function kindOf(start: string): "unknown" | "events" | "document" {
  const first = start[0];
  if (first === undefined) return "unknown";
  return "{[<".includes(first) ? "document" : "events";
}

/** The value of a `data` line, if any, without the white space around it, which JSON ignores. */
function dataOf(line: string): string[] {
  const value = line.startsWith("data:") ? line.slice("data:".length).trim() : "";
  return value === "" ? [] : [value];
}
