import type { Piece } from "./json-pieces.js";

/**
 * What a file of conversations holds:
 *
 * - `entry`: an element of a list, or a line: a conversation or a message.
 * - `message`: an element of the list `messages` of a document.
 * - `document`: its other members, after its messages.
 *
 * `value` is undefined if it was too long.
 */
export type ImportRecord =
  | { readonly kind: "entry" | "message"; readonly value: unknown }
  | { readonly kind: "document"; readonly value: Readonly<Record<string, unknown>> };

/** An object with one of these is an entry, not a document around messages. */
const KEYS_OF_ENTRIES = ["role", "mapping", "chat_messages"];

export async function* importRecords(
  pieces: AsyncIterable<Piece>,
): AsyncGenerator<ImportRecord, void, undefined> {
  let members: Record<string, unknown> | undefined;
  for await (const piece of pieces) {
    if (piece.kind === "begin") members = Object.create(null) as Record<string, unknown>;
    else if (piece.kind === "member") (members ?? {})[piece.key] = piece.value;
    else if (piece.kind === "element")
      yield { kind: members === undefined ? "entry" : "message", value: piece.value };
    else {
      const value = members ?? {};
      const isEntry = KEYS_OF_ENTRIES.some((key) => key in value);
      yield { kind: isEntry ? "entry" : "document", value };
      members = undefined;
    }
  }
}
