import type { Agent } from "../../agent/agent.js";
import { hashOf } from "../../attachments.js";
import type { UserId } from "../../ids.js";
import type { Memory } from "../../memory/memory.js";
import { attachmentsOf, type Message } from "../../messages.js";
import type { ModelRequest } from "../../models/model.js";
import type { Door } from "./door.js";

/** How a PNG begins. What is written in a picture of the check follows. */
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

const pictureOf = (text: string): Uint8Array =>
  Uint8Array.from([...PNG, ...new TextEncoder().encode(text)]);

const textIn = (picture: Uint8Array): string =>
  new TextDecoder().decode(picture.subarray(PNG.length));

/**
 * A way in that sends each message with a picture in which the same is written. What a user reads
 * of pictures that others have sent becomes part of the reply, where nobody else's texts belong. A
 * memory of another kind may have none.
 */
export function pictureDoors(agent: Pick<Agent, "run">, { attachments }: Memory): readonly Door[] {
  if (attachments === undefined) return [];
  /** By the hash of a picture: everybody may send the same one. */
  const senders = new Map<string, Set<UserId>>();
  const send: Door["send"] = async ({ userId, sessionId, text }, signal) => {
    const content = pictureOf(text);
    const hash = hashOf(content);
    senders.set(hash, (senders.get(hash) ?? new Set()).add(userId));
    const pictures = [{ name: "picture", content }];
    const run = { userId, sessionId, signal, attachments: pictures };
    const { content: reply } = await agent.run(text, run);
    const others = [...senders].filter(([, users]) => !users.has(userId)).map(([each]) => each);
    const reached = await attachments.read(userId, others);
    return [reply, ...[...reached.values()].map(textIn)].join(" ");
  };
  return [{ name: "agent.run with a picture", send }];
}

/** The messages as somebody reads them who sees only what is written in the pictures. */
export const withPicturesRead = ({ messages, pictures }: ModelRequest): readonly Message[] =>
  messages.map((message): Message => {
    const files = attachmentsOf(message);
    if (files.length === 0) return message;
    const texts = files.map(({ hash }) => textIn(pictures?.get(hash) ?? PNG));
    return { role: "user", content: texts.join("\n\n") };
  });

/**
 * An export without the pictures that only repeat what its messages say. One in which something
 * else is written stays, as that text.
 */
export function withoutRepeatedPictures(document: string): string {
  const pictures = /iVBORw0KGg[A-Za-z0-9+/]*=*/g;
  const messages = document.replace(pictures, "");
  return document.replace(pictures, (base64) => {
    const text = textIn(Buffer.from(base64, "base64"));
    return messages.includes(JSON.stringify(text).slice(1, -1)) ? "" : text;
  });
}
