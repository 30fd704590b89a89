import { beforeAll, describe, expect, it } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { buildWriter, runsOf, runTogether, Writer } from "../support/memory-process.js";

const NAMES = ["w1", "w2", "w3", "w4"];

beforeAll(buildWriter);

describe("several processes on one file", () => {
  it("lose nothing when all write for the same user and create the file together", async () => {
    const path = temporaryFile();
    await runTogether(
      NAMES.map((name) => new Writer({ store: `sqlite:${path}`, user: "shared", name, count: 40 })),
    );
    const memory = new SqliteMemory(path);
    expect(await runsOf(memory, "shared")).toEqual(new Map(NAMES.map((name) => [name, 40])));
    expect(await memory.getState("shared")).toEqual(
      Object.fromEntries(NAMES.map((name) => [name, 39])),
    );
    expect(await memory.size("shared")).toBe(320);
    const ids = (await memory.getMessages("shared")).map(({ id }) => id);
    expect(new Set(ids).size).toBe(320);
    await memory.close();
  });

  it("lose and mix up nothing when each writes for its own user", async () => {
    const path = temporaryFile();
    await runTogether(
      NAMES.map((name) => new Writer({ store: `sqlite:${path}`, user: name, name, count: 40 })),
    );
    const memory = new SqliteMemory(path);
    for (const name of NAMES) {
      expect(await runsOf(memory, name)).toEqual(new Map([[name, 40]]));
      expect(await memory.getState(name)).toEqual({ [name]: 39 });
    }
    await memory.close();
  });

  it("lose no acknowledged run and store no partial one when killed", async () => {
    const path = temporaryFile();
    for (let round = 0; round < 8; round += 1) {
      const name = `w${round}`;
      const writer = new Writer({ store: `sqlite:${path}`, user: "alice", name });
      await writer.ready();
      writer.start();
      await writer.waitForRuns(1 + 3 * round);
      await writer.kill();
      const memory = new SqliteMemory(path);
      const runs = (await runsOf(memory, "alice")).get(name) ?? 0;
      expect(runs).toBeGreaterThanOrEqual(writer.acknowledged);
      expect((await memory.getState("alice"))[name]).toBe(runs - 1);
      await memory.close();
    }
  });

  it("refuse a run whose history another process cleared", async () => {
    const path = temporaryFile();
    const [one, other] = [new SqliteMemory(path), new SqliteMemory(path)];
    const { generation } = await one.read("alice");
    await other.add(userMessage("from another run"), "alice");
    await other.clear("alice");
    await expect(one.add(userMessage("hi"), "alice", { generation })).rejects.toMatchObject({
      code: "HISTORY_CLEARED",
    });
    await one.close();
    await other.close();
  });
});
