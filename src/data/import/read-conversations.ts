import { asRecord } from "../../json.js";
import type { Batch, ImportTally } from "./conversation.js";
import type { ImportRecord } from "./records.js";

export type Fields = Readonly<Record<string, unknown>>;

interface Shape {
  /** What only a conversation has. */
  readonly key: string;
  readonly tally: ImportTally;
  /** Undefined if nothing is left of the conversation. */
  readonly batchOf: (conversation: Fields) => Batch | undefined;
}

/** Reads a list of conversations. */
export async function* readConversations(
  records: AsyncIterable<ImportRecord>,
  { key, tally, batchOf }: Shape,
): AsyncGenerator<Batch, void, undefined> {
  for await (const { value } of records) {
    const conversation = asRecord(value);
    if (value === undefined) tally.leaveOut("conversation too large");
    else if (conversation[key] === undefined) tally.leaveOut("entry that is no conversation");
    else {
      const batch = batchOf(conversation);
      if (batch === undefined) tally.leaveOut("conversation without messages");
      else yield batch;
    }
  }
}
