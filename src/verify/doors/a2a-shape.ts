// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates that are filled in later

import { AgnoChatError } from "../../errors.js";
import { asList, isObject } from "../../json.js";

/** The app does not speak this version of A2A, so it has not taken the message. */
export class OtherVersion extends Error {}

/** JSON-RPC's "method not found", and A2A's "version not supported". */
const OTHER_VERSION = [-32601, -32009];

/** A message in A2A 1.0 and 0.3, the newer one first; the context is the session or the user. */
export const a2aShapes = (context: "${session}" | "${user}") => [
  {
    headers: { "a2a-version": "1.0" },
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "SendMessage" },
      params: {
        message: {
          ...{ messageId: "${id}", contextId: context, role: "ROLE_USER" },
          parts: [{ text: "${message}" }],
        },
      },
    }),
  },
  {
    headers: {},
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "message/send" },
      params: {
        message: {
          ...{ kind: "message", messageId: "${id}", contextId: context, role: "user" },
          parts: [{ kind: "text", text: "${message}" }],
        },
      },
    }),
  },
];

/**
 * The text of a reply: of a message, or of a task's artifacts or else its status.
 * @throws {OtherVersion}
 * @throws {AgnoChatError} `INVALID_INPUT` for any other error, or when there is no text
 */
export function a2aReply(answer: unknown): string {
  const { error, result } = isObject(answer) ? answer : {};
  if (isObject(error)) {
    const code = Number(error.code);
    if (OTHER_VERSION.includes(code)) throw new OtherVersion();
    throw new AgnoChatError("INVALID_INPUT", `The app answered with the A2A error ${code}.`);
  }
  const outer = isObject(result) ? result : {};
  const { artifacts, status, parts } = firstObject(outer.task, outer.message, outer);
  const message = isObject(status) ? firstObject(status.message) : {};
  const made = asList(artifacts).flatMap((artifact) => asList(firstObject(artifact).parts));
  const texts = [parts, made, message.parts].map(textOf).find((text) => text !== "");
  if (texts !== undefined) return texts;
  throw new AgnoChatError("INVALID_INPUT", "The app's A2A answer has no text.");
}

const firstObject = (...values: readonly unknown[]): Readonly<Record<string, unknown>> =>
  values.find(isObject) ?? {};

const textOf = (parts: unknown): string =>
  asList(parts)
    .map((part) => firstObject(part).text)
    .filter((text) => typeof text === "string")
    .join("");
