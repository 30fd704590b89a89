// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates that are filled in later

import { AgnoChatError } from "../../errors.js";
import { asList, asRecord, isObject } from "../../json.js";

/** The app does not speak this version of A2A, so it has not taken the message. */
export class OtherVersion extends Error {}

/** JSON-RPC's "method not found", and A2A's "version not supported". */
const OTHER_VERSION = [-32601, -32009];

export type A2aVersion = "1.0" | "0.3";

export interface A2aMessage {
  readonly id: string;
  readonly contextId: string;
  readonly text: string;
}

/** The header that asks for a version of A2A; without one it is 0.3. */
export const a2aHeaders = (version: A2aVersion): Readonly<Record<string, string>> =>
  version === "1.0" ? { "a2a-version": "1.0" } : {};

/** The JSON-RPC method and parameters of a message. */
export function a2aMessage(
  version: A2aVersion,
  { id, contextId, text }: A2aMessage,
  { stream = false }: { readonly stream?: boolean } = {},
) {
  if (version === "1.0")
    return {
      method: stream ? "SendStreamingMessage" : "SendMessage",
      params: { message: { messageId: id, contextId, role: "ROLE_USER", parts: [{ text }] } },
    };
  const parts = [{ kind: "text", text }];
  return {
    method: stream ? "message/stream" : "message/send",
    params: { message: { kind: "message", messageId: id, contextId, role: "user", parts } },
  };
}

/** A message in A2A 1.0 and 0.3, the newer one first; the context is the session or the user. */
export const a2aShapes = (context: "${session}" | "${user}") =>
  (["1.0", "0.3"] as const).map((version) => ({
    headers: a2aHeaders(version),
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1 },
      ...a2aMessage(version, { id: "${id}", contextId: context, text: "${message}" }),
    }),
  }));

/**
 * The text of a reply: of a message, or of a task's artifacts or else its status.
 * @throws {OtherVersion}
 * @throws {AgnoChatError} `INVALID_INPUT` for any other error, or when there is no text
 */
export function a2aReply(answer: unknown): string {
  const outer = resultOf(answer);
  const { artifacts, status, parts } = firstObject(outer.task, outer.message, outer);
  const message = asRecord(asRecord(status).message);
  const made = asList(artifacts).flatMap((artifact) => asList(asRecord(artifact).parts));
  const texts = [parts, made, message.parts].map(textOf).find((text) => text !== "");
  if (texts !== undefined) return texts;
  throw new AgnoChatError("INVALID_INPUT", "The app's A2A answer has no text.");
}

/**
 * The text of a streamed reply: of all the artifacts in its events.
 * @throws {AgnoChatError} `INVALID_INPUT` for an error, or a task that failed
 */
export function a2aStreamReply(events: readonly unknown[]): string {
  let text = "";
  for (const event of events) {
    const result = resultOf(event);
    const { artifact, status } = firstObject(result.artifactUpdate, result.statusUpdate, result);
    text += textOf(asRecord(artifact).parts);
    if (/failed$/i.test(String(asRecord(status).state)))
      throw new AgnoChatError("INVALID_INPUT", "The app's A2A task failed.");
  }
  return text;
}

/** @throws {OtherVersion} */
function resultOf(answer: unknown): Readonly<Record<string, unknown>> {
  const { error, result } = asRecord(answer);
  if (!isObject(error)) return asRecord(result);
  const code = Number(error.code);
  if (OTHER_VERSION.includes(code)) throw new OtherVersion();
  throw new AgnoChatError("INVALID_INPUT", `The app answered with the A2A error ${code}.`);
}

const firstObject = (...values: readonly unknown[]): Readonly<Record<string, unknown>> =>
  values.find(isObject) ?? {};

const textOf = (parts: unknown): string =>
  asList(parts)
    .map((part) => asRecord(part).text)
    .filter((text) => typeof text === "string")
    .join("");
