import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { salvageStore } from "../../src/data/salvage-store.js";
import { AgnoChatError } from "../../src/errors.js";
import { checkStore } from "../../src/memory/check-store.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { loadEngine, SqliteConnection } from "../../src/memory/stores/sqlite/driver.js";
import {
  SQLITE_CONSTRAINT,
  SQLITE_FULL,
  SqliteError,
  storeFailed,
} from "../../src/memory/stores/sqlite/sqlite-errors.js";
import { SqliteStore } from "../../src/memory/stores/sqlite/sqlite-store.js";
import { userMessage } from "../../src/messages.js";
import { damage, intactFile, SECRET, textsOf } from "../support/damaged-file.js";
import { temporaryFile } from "../support/memory-file.js";
import { numbersFrom } from "../support/numbers.js";
import { dump, fill } from "../support/store-dump.js";

const CHECKED = 200;
const SALVAGED = 25;

function emptyFile(): string {
  const path = temporaryFile("saved.db");
  closeSync(openSync(path, "wx", 0o600));
  return path;
}

const USERS = Array.from({ length: 7 }, (_, index) => `${SECRET}-user-${index}`);

async function salvage(path: string) {
  const target = emptyFile();
  const before = readFileSync(path);
  const saved = await salvageStore(`sqlite:${path}`, {
    target,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  // The damaged file stays as it is, and nothing else is left beside the new one.
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(dirname(target))).toEqual(["saved.db"]);
  return { target, ...saved };
}

/** Changes rows as no program of ours does. */
async function changed(path: string, sql: string): Promise<void> {
  const connection = new SqliteConnection(await loadEngine(), path);
  // Only a write is moved from the log into the file by `close`, whoever else has it open still.
  await connection.write(() => connection.exec(sql));
  await connection.close();
}

const statuses = async (path: string) =>
  (await checkStore(`sqlite:${path}`)).findings.map(({ status }) => status);

afterEach(() => vi.restoreAllMocks());

describe("store check", () => {
  it(`calls a damaged file fine or unsafe, and never fails otherwise (${CHECKED} files)`, async () => {
    const intact = await intactFile(temporaryFile());
    const below = numbersFrom(20_261_126);
    const said = { fine: 0, unsafe: 0, refused: 0 };
    for (let file = 0; file < CHECKED; file += 1) {
      const path = temporaryFile();
      writeFileSync(path, damage(intact, below), { mode: 0o600 });
      try {
        const { findings } = await checkStore(`sqlite:${path}`);
        expect(JSON.stringify(findings)).not.toContain(SECRET);
        said[findings.every(({ status }) => status === "ok") ? "fine" : "unsafe"] += 1;
      } catch (error) {
        expect(error, textsOf(error)).toBeInstanceOf(AgnoChatError);
        expect(["STORE_FOREIGN", "STORE_TOO_NEW"]).toContain((error as AgnoChatError).code);
        said.refused += 1;
      }
    }
    expect(said.unsafe).toBeGreaterThan(CHECKED / 3);
    expect(said.refused).toBeLessThan(CHECKED / 10);
  }, 30_000);
});

describe("store salvage", () => {
  it(`makes a sound store of any damaged file, with whoever is left (${SALVAGED} files)`, async () => {
    const source = temporaryFile();
    const intact = await intactFile(source);
    const below = numbersFrom(4);
    let saved = 0;
    for (let file = 0; file < SALVAGED; file += 1) {
      const path = temporaryFile();
      writeFileSync(path, damage(intact, below), { mode: 0o600 });
      try {
        const { target, users } = await salvage(path);
        expect(await statuses(target)).not.toContain("unsafe");
        expect(users).toBeLessThanOrEqual(USERS.length);
        saved += users;
      } catch (error) {
        expect(error, textsOf(error)).toMatchObject({ code: "STORE_FOREIGN" });
      }
    }
    expect(saved).toBeGreaterThan((USERS.length * SALVAGED) / 2);
  }, 30_000);

  it("saves everybody from a whole file, as they were, its log included", async () => {
    const path = temporaryFile();
    await intactFile(path);
    const memory = new SqliteMemory(path);
    await memory.add(userMessage("in the log"), "late");
    expect(existsSync(`${path}-wal`)).toBe(true);
    const { target, ...saved } = await salvage(path);
    expect(saved).toEqual({
      users: 8,
      messages: 121,
      lost: [],
      damaged: [],
      nameless: 0,
      isListWhole: true,
    });
    await memory.close();
    expect(await dump(`sqlite:${target}`)).toEqual(await dump(`sqlite:${path}`));
  });

  it("saves files with the messages they belong to, and a message whose file is damaged not", async () => {
    const path = temporaryFile();
    await fill(`sqlite:${path}`);
    const whole = await salvage(path);
    expect(await dump(`sqlite:${whole.target}`)).toEqual(await dump(`sqlite:${path}`));
    for (const sql of ["UPDATE attachments SET content = x'00'", "DELETE FROM attachments"]) {
      await changed(path, sql);
      const { damaged, target } = await salvage(path);
      expect(damaged).toEqual([{ user: "alice", messages: 1, states: 0 }]);
      expect(await statuses(target)).not.toContain("unsafe");
    }
  });

  it("saves of a file that is cut off all messages but those in the missing part", async () => {
    const path = temporaryFile();
    const intact = await intactFile(path);
    for (const bytes of [intact.length - 4096, intact.length - 1]) {
      writeFileSync(path, intact.subarray(0, bytes));
      expect(await statuses(path)).toContain("unsafe");
      const { users, messages, damaged, target } = await salvage(path);
      const missing = damaged.reduce((sum, loss) => sum + loss.messages, 0);
      expect({ users, all: messages + missing }).toEqual({ users: USERS.length, all: 120 });
      expect(missing).toBeGreaterThan(0);
      expect(missing).toBeLessThan(40);
      expect(await statuses(target)).not.toContain("unsafe");
    }
  });

  it("saves everybody if only an index, the counts or the beginning is damaged", async () => {
    const path = temporaryFile();
    const intact = await intactFile(path);
    const overwritten = Buffer.from(intact).fill(0, 0, 16);
    writeFileSync(path, overwritten);
    expect((await salvage(path)).users).toBe(USERS.length);
    writeFileSync(path, intact);
    await changed(
      path,
      "UPDATE users SET messages = 1, sessions = 9; UPDATE sessions SET bytes = 0",
    );
    const { target, users, lost } = await salvage(path);
    expect({ users, lost }).toEqual({ users: USERS.length, lost: [] });
    expect(await statuses(target)).not.toContain("unsafe");
  });

  it("names whose data is damaged, and says how many more have no name", async () => {
    const path = temporaryFile();
    await intactFile(path);
    await changed(
      path,
      "UPDATE messages SET body_json = '{' WHERE user_key = 3 AND message_id = 5",
    );
    await changed(path, "UPDATE session_states SET value_json = '{' WHERE user_key = 2");
    await changed(path, "UPDATE users SET user_id = char(7) WHERE user_key = 4");
    await changed(path, "DELETE FROM users WHERE user_key = 5");
    await changed(
      path,
      "UPDATE messages SET session_key = 99 WHERE user_key = 6 AND message_id < 3",
    );
    const { users, lost, damaged, nameless, target } = await salvage(path);
    expect({ users, lost, nameless }).toEqual({ users: 5, lost: ["\u0007"], nameless: 1 });
    expect(damaged).toEqual([
      { user: `${SECRET}-user-1`, messages: 0, states: 3 },
      { user: `${SECRET}-user-2`, messages: 1, states: 0 },
      { user: `${SECRET}-user-5`, messages: 2, states: 0 },
    ]);
    expect(await statuses(target)).not.toContain("unsafe");
  });

  it("loses a user alone whose rows no store would take", async () => {
    const path = temporaryFile();
    await intactFile(path);
    vi.spyOn(SqliteStore.prototype, "importUser").mockImplementationOnce(() =>
      Promise.reject(storeFailed(path, new SqliteError(SQLITE_CONSTRAINT))),
    );
    expect((await salvage(path)).lost).toEqual([USERS[0]]);
    vi.spyOn(SqliteStore.prototype, "importUser").mockImplementationOnce(() =>
      Promise.reject(storeFailed(path, new SqliteError(SQLITE_FULL))),
    );
    await expect(salvage(path)).rejects.toMatchObject({
      message: expect.stringContaining("the disk is full"),
    });
  });

  it("saves nobody, and fails with nothing, where not even the list of users is left", async () => {
    const path = temporaryFile();
    const intact = await intactFile(path);
    writeFileSync(path, Buffer.from(intact).fill(0xff, 100, 4096));
    const { users, lost, isListWhole } = await salvage(path);
    expect({ users, lost, isListWhole }).toEqual({ users: 0, lost: [], isListWhole: false });
  });

  it("saves who is left of a file of which most is missing, and says that others may be lost", async () => {
    const path = temporaryFile();
    const intact = await intactFile(path);
    for (let pages = 1; pages < intact.length / 4096; pages += 3) {
      writeFileSync(path, intact.subarray(0, pages * 4096));
      const { users, messages, lost, damaged, isListWhole, target } = await salvage(path);
      const missing = damaged.reduce((sum, loss) => sum + loss.messages + loss.states, lost.length);
      expect(isListWhole && users === USERS.length && missing === 0).toBe(false);
      expect(messages).toBeLessThan(120);
      expect(await statuses(target)).not.toContain("unsafe");
    }
    // A header that is not believed.
    const bytes = Buffer.from(intact);
    bytes.writeUInt32BE(0xffffffff, 28);
    writeFileSync(path, bytes);
    expect((await salvage(path)).users).toBe(USERS.length);
  });

  it("refuses what is no memory file, and stops when it is told to", async () => {
    const path = temporaryFile();
    const options = (signal = new AbortController().signal) => ({
      target: emptyFile(),
      signal,
      onProgress: () => {},
    });
    const codeOf = (spec: string, signal?: AbortSignal) =>
      salvageStore(spec, options(signal)).catch(({ code }: AgnoChatError) => code);
    expect(await codeOf(`sqlite:${path}`)).toBe("STORE_NOT_READY");
    writeFileSync(path, "a letter to my mother, which is longer than one hundred bytes".repeat(3));
    expect(await codeOf(`sqlite:${path}`)).toBe("STORE_FOREIGN");
    expect(await codeOf("postgres://localhost/chat")).toBe("USAGE");
    await intactFile(temporaryFile());
    const other = temporaryFile();
    await intactFile(other);
    const stopped = AbortSignal.abort(new AgnoChatError("CANCELLED", "Interrupted."));
    expect(await codeOf(`sqlite:${other}`, stopped)).toBe("CANCELLED");
  });
});
