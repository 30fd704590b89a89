import type { UserId } from "../../../ids.js";
import { attachmentsOf, type Contents, type Message } from "../../../messages.js";
import type { StoreAttachments } from "../../store.js";
import type { Row, SqlValue } from "./client.js";

/** Calls a function of the schema that only reads. */
type Read = (name: string, values: readonly SqlValue[]) => Promise<Row[]>;

/** The attachments of a database. */
export class PostgresAttachments implements StoreAttachments {
  readonly #read: Read;

  constructor(read: Read) {
    this.#read = read;
  }

  async read(userId: UserId, hashes: readonly string[]): Promise<Contents> {
    const rows = await this.#read("attachments_v1", [userId, hashes]);
    return new Map(rows.map((row) => row as readonly [hash: string, content: Uint8Array]));
  }
}

/** Which message uses which content, as the functions take it: each content is sent once. */
export function attachedArguments(messages: readonly Message[], contents: Contents): SqlValue[] {
  const unsent = new Map(contents);
  const uses = messages.flatMap((message, place) =>
    attachmentsOf(message).map(({ hash }) => {
      const content = unsent.get(hash) ?? null;
      unsent.delete(hash);
      return { place, hash, content };
    }),
  );
  return [
    uses.map(({ place }) => place),
    uses.map(({ hash }) => hash),
    uses.map(({ content }) => content),
  ];
}
