import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_SESSION_ID, validateUserId } from "../../src/ids.js";
import type { CopyStore } from "../../src/memory/copy-store.js";
import { openCopyStore } from "../../src/memory/open-copy-store.js";
import { initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { listUsers, pagesOfUsers } from "../../src/memory/stores/sqlite/rows.js";
import { openMemoryFile } from "../../src/memory/stores/sqlite/schema.js";
import { FIRST_ACTIVITY, fillPostgres, fillSqlite } from "../support/many-users.js";
import { temporaryFile } from "../support/memory-file.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = await postgresUrl();

/** Three pages of a list. */
const COUNT = 2_100;

/** Active when the first this many users were, in the order of their activity. */
const activityOf = (index: number): number => FIRST_ACTIVITY + index * 1_000;

const kinds: readonly (readonly [string, () => Promise<string>])[] = [
  [
    "SQLite",
    async () => {
      const path = temporaryFile();
      await fillSqlite(path, { count: COUNT, messages: 1 });
      return `sqlite:${path}`;
    },
  ],
  ...(server === undefined
    ? []
    : [
        [
          "PostgreSQL",
          async () => {
            const url = await newDatabase(server);
            await initPostgres(url);
            await fillPostgres(url, { count: COUNT, messages: 1 });
            return url;
          },
        ] as const,
      ]),
];

describe.each(kinds)("many users in %s", (_kind, filled) => {
  const opened: CopyStore[] = [];
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });

  async function open(): Promise<CopyStore> {
    const store = await openCopyStore(await filled(), { notice: () => {} });
    opened.push(store);
    return store;
  }

  it("are listed page by page, as they were when the list began", async () => {
    const store = await open();
    const before = await store.users();
    const pages: number[] = [];
    const listed = [];
    for await (const page of store.usersByActivity()) {
      if (pages.length === 0) {
        await store.delete(validateUserId(before.at(-1)?.userId), {
          sessionId: undefined,
          time: 0,
        });
        await store.write(writeOf("new", activityOf(COUNT)));
      }
      pages.push(page.length);
      listed.push(...page);
    }
    expect(pages).toEqual([1_000, 1_000, 100]);
    expect(listed).toEqual(before);
  });

  it("are listed no further than the reader wants", async () => {
    const store = await open();
    for await (const [first] of store.usersByActivity()) {
      expect(first?.lastActivity).toBe(activityOf(COUNT - 1));
      break;
    }
    expect((await store.usersAfter("", 10)).length).toBe(10);
  });

  it("are deleted step by step, which tells how far it is and can be stopped", async () => {
    const store = await open();
    const stop = new AbortController();
    const seen: number[] = [];
    const sweep = { idleSince: activityOf(COUNT - 10), except: new Set<never>(), time: 0 };
    const stopped = store.deleteIdle({
      ...sweep,
      signal: stop.signal,
      onProgress: ({ users }) => {
        seen.push(users);
        if (seen.length === 2) stop.abort(new Error("enough"));
      },
    });
    await expect(stopped).rejects.toThrow("enough");
    const [first = 0, second = 0] = seen;
    expect(seen).toEqual([first, 2 * first]);
    expect((await store.countUsers(sweep)).users).toBe(COUNT - second);

    const rest = await store.deleteIdle(sweep);
    expect(rest).toEqual({
      users: COUNT - 10 - second,
      sessions: COUNT - 10 - second,
      messages: COUNT - 10 - second,
    });
    expect(await store.countUsers(sweep)).toEqual({ users: 10, idle: 0 });
  });

  it("are kept when they become active while others are deleted", async () => {
    const store = await open();
    const [last] = (await store.usersAfter("user-00002090", 10)).slice(-1);
    const userId = validateUserId(last?.userId);
    let writing: Promise<unknown> | undefined;
    await store.deleteIdle({
      ...{ idleSince: activityOf(COUNT), except: new Set(), time: 0 },
      onProgress: () => {
        writing ??= store.write(writeOf(userId, activityOf(COUNT + 1)));
      },
    });
    await writing;
    expect((await store.users()).map((user) => user.userId)).toEqual([userId]);
    expect(await store.size(userId, { sessionId: undefined })).toBeGreaterThan(0);
  });
});

it("a list of users names the memory file that it cannot read", async () => {
  const store = await openCopyStore("sqlite:/dev/null/chat.db", { notice: () => {} });
  await expect(store.usersByActivity()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: "STORE_FAILED",
  });
});

it("a list of users names the database that it cannot reach", async () => {
  const url = "postgres://nobody@127.0.0.1:1/chat";
  const store = await openCopyStore(url, { notice: () => {} });
  await expect(store.usersByActivity()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: "STORE_FAILED",
    message: expect.stringContaining('"chat" at 127.0.0.1:1'),
  });
});

const writeOf = (userId: string, time: number) => ({
  userId: validateUserId(userId),
  sessionId: DEFAULT_SESSION_ID,
  messages: [],
  newRunId: "run",
  state: [["active", "true"]] as const,
  expected: [],
  replaceRun: undefined,
  generation: undefined,
  time,
});

it("users of an SQLite file are listed in the same order when they are sorted in parts", async () => {
  const path = temporaryFile();
  await fillSqlite(path, { count: 100, messages: 1 });
  const connection = await openMemoryFile(path);
  // Ten at a time were active at the same moment.
  connection.exec("UPDATE users SET last_activity = last_activity / 10000");
  const all = listUsers(connection);
  for (const sortedAtOnce of [1, 7, 50, 100, 101]) {
    const pages = [...pagesOfUsers(connection, { size: 30, sortedAtOnce })];
    expect(pages.map((page) => page.length)).toEqual([30, 30, 30, 10]);
    expect(pages.flat()).toEqual(all);
  }
  for (const [first] of pagesOfUsers(connection, { size: 30, sortedAtOnce: 7 })) {
    expect(first).toEqual(all[0]);
    break;
  }
  // The transaction has ended, also that of a list which was not read to its end.
  connection.exec("BEGIN; COMMIT");
  await connection.close();
});
