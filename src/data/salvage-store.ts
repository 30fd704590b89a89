import { chmod, constants, copyFile, rm, stat } from "node:fs/promises";
import { hashOf } from "../attachments.js";
import { AgnoChatError } from "../errors.js";
import { type UserId, validateSessionId, validateUserId } from "../ids.js";
import type { CopyStore, SessionCopy, UserCopy } from "../memory/copy-store.js";
import { openCopyStore } from "../memory/open-copy-store.js";
import { encodePatch } from "../memory/state.js";
import { parseLastingSpec } from "../memory/store-spec.js";
import type { Survivor } from "../memory/stores/sqlite/salvage.js";
import { hashesOf, type StoredMessage } from "../messages.js";
import { contentsOf } from "./copy-users.js";
import { removeLog } from "./remove-log.js";

export interface SalvageOptions {
  /** An empty file. */
  readonly target: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface Salvaged {
  readonly users: number;
  readonly messages: number;
  /** Users of whom nothing could be saved. */
  readonly lost: readonly string[];
  /** Users of whom a part could not be saved. */
  readonly damaged: readonly Loss[];
  /** How many more users there are whose id cannot be read. */
  readonly nameless: number;
  /** Whether the list of users could be read to its end, so that there are no others. */
  readonly isListWhole: boolean;
}

export interface Loss {
  readonly user: string;
  readonly messages: number;
  /** Sessions whose state is lost. */
  readonly states: number;
}

/**
 * Copies what can be read of a damaged memory file into a new one. Works on a copy beside the new
 * one: the damaged file stays as it is.
 * @throws {AgnoChatError} `STORE_…`, `USAGE` for a store that is no file
 */
export async function salvageStore(spec: string, options: SalvageOptions): Promise<Salvaged> {
  const { kind, location: name } = parseLastingSpec(spec);
  if (kind !== "sqlite") throw noFile();
  const { damagedFile } = await import("../memory/stores/sqlite/salvage.js");
  const location = damagedFile(name);
  const copy = `${options.target}.damaged`;
  try {
    for (const end of ["", "-wal", "-journal"])
      if (end === "" || (await exists(location + end)))
        await copyPrivately(location + end, copy + end);
    return await salvage(copy, options);
  } finally {
    for (const end of ["", "-wal", "-shm", "-journal"]) await rm(copy + end, { force: true });
  }
}

async function salvage(
  path: string,
  { target, signal, onProgress }: SalvageOptions,
): Promise<Salvaged> {
  const { DamagedCopy } = await import("../memory/stores/sqlite/salvage.js");
  const copy = await DamagedCopy.mend(path);
  const silent = { notice: (): void => {} };
  const from = await openCopyStore(`sqlite:${path}`, silent);
  const to = await openCopyStore(`sqlite:${target}`, silent);
  const [lost, damaged]: [string[], Loss[]] = [[], []];
  let messages = 0;
  try {
    // Makes the new store even if nobody is left.
    await to.countUsers({ idleSince: 0 });
    const { users, isWhole: isListWhole } = copy.users();
    for (const [done, user] of users.entries()) {
      signal.throwIfAborted();
      const saved = await salvageUser(user, { from, to, messageIds: copy.messageIds(user) });
      messages += saved?.messages ?? 0;
      if (saved === undefined) lost.push(user.id);
      else if (saved.loss.messages + saved.loss.states > 0) damaged.push(saved.loss);
      onProgress({ done: done + 1, total: users.length });
    }
    const nameless = copy.others(users);
    const saved = users.length - lost.length;
    return { users: saved, messages, lost, damaged, nameless, isListWhole };
  } finally {
    await copy.close();
    await from.close();
    await to.close();
    await removeLog(target);
  }
}

interface Stores {
  readonly from: CopyStore;
  readonly to: CopyStore;
  readonly messageIds: readonly number[];
}

interface Saved {
  readonly messages: number;
  readonly loss: Loss;
}

/** Undefined if nothing of the user can be saved. */
async function salvageUser(
  { id }: Survivor,
  { from, to, messageIds }: Stores,
): Promise<Saved | undefined> {
  const { isImpossibleRow } = await import("../memory/stores/sqlite/salvage.js");
  const head = await readable(() => headIn(from, id));
  if (head === undefined) return undefined;
  const { user, states } = head;
  const sessionIds = new Set<string>(user.sessions.map(({ sessionId }) => sessionId));
  let messages = 0;
  async function* pages(): AsyncGenerator<readonly StoredMessage[]> {
    for await (const page of readableMessages(from, user.userId, messageIds)) {
      const own: StoredMessage[] = [];
      for (const message of page)
        if (sessionIds.has(message.sessionId) && (await areFilesWhole(from, user.userId, message)))
          own.push(message);
      messages += own.length;
      yield own;
    }
  }
  try {
    await to.importUser(user, pages());
    const loss = { user: id, messages: messageIds.length - messages, states };
    return { messages, loss };
  } catch (error) {
    if (isImpossibleRow(error)) return undefined;
    throw error;
  }
}

/** A message is lost with a file that belongs to it. */
async function areFilesWhole(
  from: CopyStore,
  userId: UserId,
  message: StoredMessage,
): Promise<boolean> {
  const hashes = hashesOf([message]);
  if (hashes.length === 0) return true;
  const contents = await readable(() => contentsOf(from, userId, hashes));
  return hashes.every((hash) => {
    const content = contents?.get(hash);
    return content !== undefined && hashOf(content) === hash;
  });
}

interface Head {
  readonly user: UserCopy;
  /** How many states cannot be read. */
  readonly states: number;
}

/** @throws for a user whose sessions cannot be read */
async function headIn(from: CopyStore, id: string): Promise<Head> {
  const userId = validateUserId(id);
  const sessions: SessionCopy[] = [];
  let states = 0;
  for (const { sessionId: name, lastActivity, messages } of await from.sessions(userId)) {
    const sessionId = validateSessionId(name);
    const read = await readable(() => from.read(userId, { sessionId, limit: 0 }));
    if (read === undefined) states += 1;
    const { total, state } = read ?? { total: messages, state: {} };
    sessions.push({ sessionId, lastActivity, total, state: encodePatch(state) });
  }
  const lastActivity = Math.max(0, ...sessions.map((session) => session.lastActivity));
  const user = {
    ...{ userId, lastActivity, sessions },
    contentsOf: (hashes: readonly string[]) => contentsOf(from, userId, hashes),
  };
  return { user, states };
}

/** How many messages are read at once; one by one where a page cannot be read. */
const PAGE = 200;

async function* readableMessages(
  from: CopyStore,
  userId: UserId,
  ids: readonly number[],
): AsyncGenerator<readonly StoredMessage[]> {
  for (let start = 0; start < ids.length; start += PAGE) {
    const some = ids.slice(start, start + PAGE);
    const page = await readable(() => between(from, userId, some));
    if (page !== undefined) yield page;
    else for (const id of some) yield (await readable(() => between(from, userId, [id]))) ?? [];
  }
}

const between = (from: CopyStore, userId: UserId, ids: readonly number[]) =>
  from.page(userId, {
    after: (ids[0] ?? 0) - 1,
    before: (ids.at(-1) ?? 0) + 1,
    limit: ids.length,
    maxCharacters: Infinity,
    sessionId: undefined,
  });

/** Undefined where the damaged file cannot be read. */
async function readable<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}

async function copyPrivately(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, 0o600);
}

const exists = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined)) !== undefined;

const noFile = (): AgnoChatError =>
  new AgnoChatError("USAGE", "Only a memory file can be salvaged.", {
    hint: "Name a memory file. For a database, its administrator has tools.",
  });
