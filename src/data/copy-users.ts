import { createHash, type Hash } from "node:crypto";
import { hashOf } from "../attachments.js";
import { AgnoChatError } from "../errors.js";
import { storedSessionId, type UserId, validateUserId } from "../ids.js";
import type { CopyStore, SessionCopy } from "../memory/copy-store.js";
import { encodePatch } from "../memory/state.js";
import type { SessionRow, UserRow } from "../memory/store.js";
import { type Contents, hashesOf, type StoredMessage } from "../messages.js";
import { usersOf } from "./users-of.js";

export interface CopyUsersOptions {
  readonly from: CopyStore;
  /** Undefined: an empty store, of which nothing is known yet. Only for a dry run. */
  readonly to: CopyStore | undefined;
  /** Looks only: copies nobody. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** How often a user is copied, at most, who is written to meanwhile. Default: once. */
  readonly attempts?: number;
}

/** What became of one user. */
export interface CopiedUser {
  readonly userId: string;
  /** In the source. */
  readonly messages: number;
  /** `differs`: the target has other data of this user. `changed`: the source has changed. */
  readonly outcome: "copied" | "equal" | "differs" | "changed";
}

/** How many users are copied at once. */
const WORKERS = 4;

/** Small enough to keep both stores responsive. */
const PAGE = { limit: 500, maxCharacters: 1024 * 1024, sessionId: undefined };

/**
 * Copies every user of a store to another one: each completely, in one commit, and read back
 * afterwards. Overwrites nothing, so it can be run again after an interruption. Yields the outcome
 * of each user.
 * @throws {AgnoChatError} `STORE_…`
 */
export async function* copyUsers(options: CopyUsersOptions): AsyncGenerator<CopiedUser> {
  const { from, signal } = options;
  for await (const users of usersOf(from))
    for (let start = 0; start < users.length; start += WORKERS) {
      signal.throwIfAborted();
      const some = users.slice(start, start + WORKERS);
      const done = await Promise.allSettled(some.map((user) => copyUnchanged(user, options)));
      for (const each of done) if (each.status === "fulfilled") yield each.value;
      const failed = done.find((each) => each.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    }
}

async function copyUnchanged(user: UserRow, options: CopyUsersOptions): Promise<CopiedUser> {
  for (let attempt = 1; ; attempt += 1) {
    const copied = await copyUser(user, options);
    if (copied.outcome !== "changed" || attempt >= (options.attempts ?? 1)) return copied;
  }
}

async function copyUser(
  { userId: id, messages, lastActivity }: UserRow,
  { from, to, dryRun, signal }: CopyUsersOptions,
): Promise<CopiedUser> {
  // A file from elsewhere may hold anything.
  const userId = validateUserId(id);
  const become = (outcome: CopiedUser["outcome"]): CopiedUser => ({ userId, messages, outcome });
  if (to === undefined) return become("copied");
  const compared = async () => become((await areEqual(from, to, userId)) ? "equal" : "differs");
  if ((await to.sessions(userId)).length > 0) return compared();
  if (dryRun) return become("copied");

  const before = await headOf(from, userId);
  if (before === undefined) return become("changed");
  const read = new Digest(from, userId);
  async function* pages(): AsyncGenerator<readonly StoredMessage[]> {
    for await (const page of messagesOf(from, userId)) {
      signal.throwIfAborted();
      await read.add(page);
      yield page;
    }
    if (textOf(await headOf(from, userId)) !== textOf(before)) throw new SourceChanged();
  }
  try {
    const user = {
      ...{ userId, lastActivity, sessions: before.map(({ copy }) => copy) },
      contentsOf: (hashes: readonly string[]) => contentsOf(from, userId, hashes),
    };
    const isNew = await to.importUser(user, pages());
    if (!isNew) return compared();
  } catch (error) {
    if (error instanceof SourceChanged) return become("changed");
    throw error;
  }
  const stored = { head: textOf(await headOf(to, userId)), digest: await digestOf(to, userId) };
  if (stored.head === textOf(before) && stored.digest === read.hex) return become("copied");
  throw notAsRead(userId);
}

class SourceChanged extends Error {}

/** A session without messages: what is stored, and what the store counts. */
interface Head {
  readonly copy: SessionCopy;
  readonly counts: Pick<SessionRow, "messages" | "runs" | "bytes">;
}

/** Undefined for a user who does not exist. */
async function headOf(store: CopyStore, userId: UserId): Promise<readonly Head[] | undefined> {
  const sessions = await store.sessions(userId);
  if (sessions.length === 0) return undefined;
  const heads: Head[] = [];
  for (const { sessionId: id, lastActivity, ...counts } of sessions) {
    const sessionId = storedSessionId(id);
    const { total, state } = await store.read(userId, { sessionId, limit: 0 });
    heads.push({ copy: { sessionId, lastActivity, total, state: encodePatch(state) }, counts });
  }
  return heads;
}

/** The same text for the same sessions, in whatever order a store lists them and their keys. */
const textOf = (heads: readonly Head[] | undefined): string =>
  (heads ?? [])
    .map(({ copy, counts }) =>
      canonical({ ...copy, ...counts, state: Object.fromEntries(copy.state) }),
    )
    .sort()
    .join("\n");

async function areEqual(from: CopyStore, to: CopyStore, userId: UserId): Promise<boolean> {
  if (textOf(await headOf(from, userId)) !== textOf(await headOf(to, userId))) return false;
  return (await digestOf(from, userId)) === (await digestOf(to, userId));
}

async function digestOf(store: CopyStore, userId: UserId): Promise<string> {
  const digest = new Digest(store, userId);
  for await (const page of messagesOf(store, userId)) await digest.add(page);
  return digest.hex;
}

/** All messages that a user has now, in the order of their ids: a writer in between adds none. */
async function* messagesOf(
  store: CopyStore,
  userId: UserId,
): AsyncGenerator<readonly StoredMessage[]> {
  const [newest] = await store.page(userId, {
    ...PAGE,
    after: undefined,
    before: Infinity,
    limit: 1,
  });
  const before = (newest?.id ?? 0) + 1;
  for (let after = 0; ; ) {
    const page = await store.page(userId, { ...PAGE, after, before });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.id;
  }
}

export const contentsOf = async (
  store: CopyStore,
  userId: UserId,
  hashes: readonly string[],
): Promise<Contents> => (await store.attachments?.read(userId, hashes)) ?? new Map();

/** Of a user's messages, one after the other, each with the contents of its attachments. */
class Digest {
  readonly #hash: Hash = createHash("sha256");
  readonly #store: CopyStore;
  readonly #userId: UserId;

  constructor(store: CopyStore, userId: UserId) {
    this.#store = store;
    this.#userId = userId;
  }

  async add(messages: readonly StoredMessage[]): Promise<void> {
    for (const message of messages) {
      this.#hash.update(`${canonical(message)}\n`);
      const hashes = hashesOf([message]);
      if (hashes.length === 0) continue;
      const contents = await contentsOf(this.#store, this.#userId, hashes);
      for (const hash of hashes) this.#hash.update(hashOf(contents.get(hash) ?? MISSING));
    }
  }

  get hex(): string {
    return this.#hash.copy().digest("hex");
  }
}

const MISSING = new Uint8Array();

/** JSON text with sorted keys. Half surrogate pairs and NUL are escaped in it, so none are lost. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1))
      : each,
  );

const notAsRead = (userId: UserId): AgnoChatError =>
  new AgnoChatError(
    "STORE_FAILED",
    `The copy of the user ${JSON.stringify(userId)} is not what was read from the source.`,
    { hint: "Stop what writes to the target, clear that user there, and run the copy again." },
  );
