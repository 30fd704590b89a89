import type { UserId } from "../../../ids.js";
import { hashesOf, haveAttachments, type StoredMessage } from "../../../messages.js";
import type { UserCopy } from "../../copy-store.js";
import { bytesOf, charactersOf } from "../../measure.js";
import type { Ask, SqlValue } from "./client.js";
import { attachedArguments } from "./postgres-attachments.js";
import { bodyOf } from "./rows.js";

/** Runs in a transaction of the caller. Resolves to false if the user exists. */
export async function importUser(
  ask: Ask,
  user: UserCopy,
  pages: AsyncIterable<readonly StoredMessage[]>,
): Promise<boolean> {
  const [[isNew] = []] = await ask(
    "SELECT agno_chat.import_user_v1($1, $2, $3, $4, $5, $6, $7, $8)",
    userArguments(user),
  );
  if (isNew !== true) return false;
  for await (const page of pages) {
    await ask(
      "SELECT agno_chat.import_messages_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      messageArguments(user.userId, page),
    );
    for (const message of page.filter((each) => haveAttachments([each])))
      await attach(ask, user, message);
  }
  await ask("SELECT agno_chat.end_import_v1($1)", [user.userId]);
  return true;
}

async function attach(
  ask: Ask,
  { userId, contentsOf }: UserCopy,
  message: StoredMessage,
): Promise<void> {
  const contents = await contentsOf(hashesOf([message]));
  const [places, ...files] = attachedArguments([message], contents);
  const ids = (places as readonly number[]).map(() => message.id);
  await ask("SELECT agno_chat.attach_v1($1, $2, $3, $4, $5)", [
    ...[userId, message.sessionId],
    ids,
    ...files,
  ]);
}

function userArguments({ userId, lastActivity, sessions }: UserCopy): SqlValue[] {
  const states = sessions.flatMap(({ sessionId, state }) =>
    state.map(([key, json]) => ({ sessionId, key: JSON.stringify(key), json: json ?? null })),
  );
  return [
    userId,
    lastActivity,
    sessions.map(({ sessionId }) => sessionId),
    sessions.map(({ total }) => total),
    sessions.map((session) => session.lastActivity),
    states.map(({ sessionId }) => sessionId),
    states.map(({ key }) => key),
    states.map(({ json }) => json),
  ];
}

const messageArguments = (userId: UserId, page: readonly StoredMessage[]): SqlValue[] => [
  userId,
  page.map(({ sessionId }) => sessionId),
  page.map(({ id }) => id),
  page.map(({ createdAt }) => Date.parse(createdAt)),
  page.map(bytesOf),
  page.map(charactersOf),
  page.map(({ role }) => role),
  page.map(({ runId }) => JSON.stringify(runId)),
  page.map(bodyOf),
];
