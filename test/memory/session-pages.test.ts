import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { sessionPages } from "../../src/data/session-pages.js";
import { validateSessionId, validateUserId } from "../../src/ids.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory, SessionWithState } from "../../src/memory/memory.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { StoreMemory } from "../../src/memory/store-memory.js";
import { initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { SqliteStore } from "../../src/memory/stores/sqlite/sqlite-store.js";
import { userMessage } from "../../src/messages.js";
import { fillPostgres, fillSqlite } from "../support/many-users.js";
import { temporaryFile } from "../support/memory-file.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { wildText } from "../support/wild-text.js";

const server = await postgresUrl();

/** Two pages and a bit, of one user and of another whose id begins with theirs. */
const MANY = { count: 2, sessions: 1_100, messages: 1 };
const USER = "user-00000000";

interface Kind {
  readonly name: string;
  readonly open: () => Promise<Memory>;
  readonly openMany: () => Promise<Memory>;
}

async function sqliteFile(isFilled: boolean): Promise<string> {
  const path = temporaryFile();
  if (isFilled) await fillSqlite(path, MANY);
  return path;
}

async function database(isFilled: boolean): Promise<string> {
  const url = await newDatabase(server ?? "");
  await initPostgres(url);
  if (isFilled) await fillPostgres(url, MANY);
  return url;
}

async function manyInMemory(): Promise<Memory> {
  const memory = new InMemory();
  for (const userId of [USER, `${USER}0`])
    for (let index = 0; index < MANY.sessions; index += 1)
      memory.add(userMessage("hi"), userId, { sessionId: `session-${index}` });
  return memory;
}

/** A store of users with few sessions. */
function withoutPages(path: string): Memory {
  const store = new SqliteStore(path);
  return new StoreMemory(Object.defineProperty(store, "sessionsById", { value: undefined }));
}

/** A memory that lists all sessions at once. */
function listingAll(memory: Memory): Memory {
  return Object.defineProperty(memory, "sessionsById", { value: undefined });
}

const kinds: readonly Kind[] = [
  { name: "memory", open: async () => new InMemory(), openMany: manyInMemory },
  {
    name: "SQLite",
    open: async () => new SqliteMemory(await sqliteFile(false)),
    openMany: async () => new SqliteMemory(await sqliteFile(true)),
  },
  {
    name: "a store without pages",
    open: async () => withoutPages(await sqliteFile(false)),
    openMany: async () => withoutPages(await sqliteFile(true)),
  },
  {
    name: "a memory without pages",
    open: async () => listingAll(new InMemory()),
    openMany: async () => listingAll(await manyInMemory()),
  },
  ...(server === undefined
    ? []
    : [
        {
          name: "PostgreSQL",
          open: async () => new PostgresMemory(await database(false)),
          openMany: async () => new PostgresMemory(await database(true)),
        },
      ]),
];

const opened: Memory[] = [];

afterEach(async () => {
  for (const memory of opened.splice(0)) await memory.close();
});

const using = (memory: Memory): Memory => {
  opened.push(memory);
  return memory;
};

const byCodePoints = (left: SessionWithState, right: SessionWithState): number =>
  Buffer.compare(Buffer.from(left.sessionId), Buffer.from(right.sessionId));

/** What `sessions` and `read` tell of every session. */
async function everySession(memory: Memory, userId: string): Promise<SessionWithState[]> {
  const sessions: SessionWithState[] = [];
  for (const session of await memory.sessions(userId)) {
    const { total, state } = await memory.read(userId, { sessionId: session.sessionId });
    sessions.push({ ...session, total, state: { ...state } });
  }
  return sessions.sort(byCodePoints);
}

async function pagesOf(memory: Memory, userId: string): Promise<SessionWithState[][]> {
  const pages: SessionWithState[][] = [];
  for await (const page of sessionPages(memory, validateUserId(userId)))
    pages.push(page.map((session) => ({ ...session, state: { ...session.state } })));
  return pages;
}

const isSessionId = (text: string): boolean => {
  try {
    return validateSessionId(text) === text;
  } catch {
    return false;
  }
};

/** Names alike and names of any characters, among them those that UTF-16 sorts otherwise. */
const names = fc.uniqueArray(
  fc
    .oneof(
      wildText(4),
      fc.string({ unit: fc.constantFrom("a", "A", "%", "_", "0"), minLength: 1, maxLength: 3 }),
      fc.string({ unit: fc.constantFrom("\ufb01", "\u{1f600}", "\u{10fffd}"), minLength: 1 }),
    )
    .filter(isSessionId),
  { maxLength: 12 },
);

describe.each(kinds)("the pages of sessions in $name", ({ open, openMany }) => {
  it("hold what the list of one user does, in order, whatever the ids look like", async () => {
    const memory = using(await open());
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(names, { minLength: 2, maxLength: 3 }), async (users) => {
        round += 1;
        // Each is the beginning of the next.
        const idOf = (index: number) => `user${round}${"%".repeat(index)}`;
        for (const [index, sessions] of users.entries())
          for (const [place, sessionId] of sessions.entries()) {
            const state = place % 3 === 0 ? {} : { [sessionId]: `${index} ${place}`, other: place };
            const messages = place % 2 === 0 ? [userMessage(`${index}`)] : [];
            await memory.add(messages, idOf(index), { sessionId, state });
          }
        for (const index of users.keys()) {
          const listed = (await pagesOf(memory, idOf(index))).flat();
          expect(listed).toEqual(await everySession(memory, idOf(index)));
        }
      }),
      { numRuns: 10 },
    );
  });

  it("are several for many sessions, with each once", async () => {
    const memory = using(await openMany());
    const pages = await pagesOf(memory, USER);
    expect(pages.length).toBeGreaterThan(2);
    expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(500);
    const found = pages.flat().map(({ sessionId }) => sessionId);
    const wanted = Array.from({ length: MANY.sessions }, (_, index) => `session-${index}`);
    expect(found.sort()).toEqual(wanted.sort());
  });
});

it("a list of sessions of a closed memory, or one that is closed meanwhile, is refused", async () => {
  const memory = await manyInMemory();
  const pages = memory.sessionsById?.(USER)[Symbol.asyncIterator]();
  await pages?.next();
  await memory.close();
  await expect(pages?.next()).rejects.toMatchObject({ code: "STORE_CLOSED" });
  await expect(pagesOf(memory, USER)).rejects.toMatchObject({ code: "STORE_CLOSED" });
});

it("a list of sessions refuses an invalid user id", async () => {
  const memory = using(new InMemory());
  const pages = memory.sessionsById?.(" alice")[Symbol.asyncIterator]();
  await expect(pages?.next()).rejects.toMatchObject({ code: "INVALID_USER_ID" });
});
