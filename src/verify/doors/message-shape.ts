import { Readable } from "node:stream";
import { parseJson } from "../../json.js";
import { eventsIn } from "../../models/openai/sse.js";
import type { Outgoing } from "./door.js";
import type { HttpCall } from "./http-client.js";

/** One shape of a message to the server. */
export interface MessageShape {
  readonly name: string;
  /** @returns the request of a message, without a token */
  callOf(message: Outgoing): HttpCall & { readonly body: object };
  /**
   * The reply in an answer.
   * @throws {WrongAnswer} when it belongs to another user or session
   * @throws {AgnoChatError} when the run failed
   */
  replyIn(text: string, message: Outgoing): Promise<string>;
}

/** The data of all events of a stream; of an answer that is none, the document. */
export async function eventsOf(text: string): Promise<readonly unknown[]> {
  const events: unknown[] = [];
  for await (const data of eventsIn(Readable.from([Buffer.from(text)])))
    events.push(parseJson(data));
  return events;
}
