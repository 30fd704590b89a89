import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { userMessage } from "../../src/messages.js";
import { Gate } from "../agent/support.js";
import { ModelServer, silence } from "../support/model-server.js";
import {
  Command,
  chat,
  cleanUp,
  eventually,
  get,
  lateText,
  serve,
  temporaryFolder,
} from "./support.js";

const sh = promisify(execFile);

/** As in the guide. */
const SEED = [
  `curl -X POST http://localhost:8080/chat \\
-H "Content-Type: application/json" \\
-d '{"user_id": "user-a", "message": "My name is Alice"}'`,
  `curl -X POST http://localhost:8080/chat \\
-H "Content-Type: application/json" \\
-d '{"user_id": "user-a", "message": "What is my name?"}'`,
  `curl -X POST http://localhost:8080/chat \\
-H "Content-Type: application/json" \\
-d '{"user_id": "user-b", "message": "My name is Bob"}'`,
  `curl -X POST http://localhost:8080/chat \\
-H "Content-Type: application/json" \\
-d '{"user_id": "user-b", "message": "What is my name?"}'`,
];

test("the guide's four curl calls give the guide's two answers, to the letter", async () => {
  const folder = temporaryFolder();
  const command = new Command(folder, ["serve", "--port", "0"]);
  const { host } = new URL(await command.url());
  // Port 8080 may be taken here: curl goes to the free one instead.
  await writeFile(path.join(folder, ".curlrc"), `connect-to = localhost:8080:${host}\nsilent\n`);
  const env = { PATH: process.env.PATH, CURL_HOME: folder };
  const replies: { user_id: string; reply: string }[] = [];
  for (const call of SEED) replies.push(JSON.parse((await sh("sh", ["-c", call], { env })).stdout));
  expect(replies.map(({ user_id }) => user_id)).toEqual(["user-a", "user-a", "user-b", "user-b"]);
  expect(replies[1]?.reply).toMatch(/^Your name is Alice/);
  expect(replies[3]?.reply).toMatch(/^Your name is Bob/);
  expect(replies[3]?.reply).not.toContain("Alice");
});

test("the log has one line per request, without texts and ids", async () => {
  const command = new Command(temporaryFolder(), ["serve", "--port", "0", "--quiet", "--json"]);
  await eventually(() => command.stdout.endsWith("\n"));
  const { url } = JSON.parse(command.stdout);
  await chat({ url }, "alice-secret-id", "secret words");
  const line = await command.line(/\/chat/);
  expect(Object.keys(JSON.parse(line))).toEqual(["time", "method", "path", "status", "ms", "user"]);
  await get(`${url}/secret/path?user_id=alice-secret-id`);
  await command.line(/"other"/);
  expect(command.lines.join("\n")).not.toMatch(/secret/);
});

async function serveModel(model: ModelServer, folder = temporaryFolder()): Promise<Command> {
  cleanUp(() => model.close());
  const args = ["serve", "--port", "0", "--base-url", model.url, "--model", "test-model"];
  return new Command(folder, args);
}

test("SIGTERM lets a current run end and be stored", async () => {
  const gate = new Gate();
  const model = await ModelServer.start(lateText("in time", gate));
  const folder = temporaryFolder();
  const command = await serveModel(model, folder);
  const url = await command.url();
  const arrived = model.nextRequest();
  const asked = chat({ url }, "alice", "Hi");
  await arrived;
  command.child.kill("SIGTERM");
  await command.line(/Finishing/);
  gate.open();
  expect(await asked).toMatchObject({ status: 200, json: { reply: "in time" } });
  expect(await command.ended).toBe(143);
  const memory = new SqliteMemory(path.join(folder, "chat.db"));
  cleanUp(() => memory.close());
  expect(await memory.size("alice")).toBe(2);
});

test.each(["SIGTERM", "SIGINT"] as const)("a second %s ends at once", async (signal) => {
  const model = await ModelServer.start(silence());
  const command = await serveModel(model);
  const url = await command.url();
  const arrived = model.nextRequest();
  const asked = chat({ url }, "alice", "Hi");
  await arrived;
  command.child.kill(signal);
  await command.line(/Finishing/);
  command.child.kill(signal);
  expect((await asked).status).toBe(503);
  expect(await command.ended).toBe(signal === "SIGTERM" ? 143 : 130);
  await model.hungUp();
});

test("kill -9 under load loses no acknowledged run and leaves no partial one", async () => {
  const folder = temporaryFolder();
  const acknowledged = new Map<string, string[]>();
  for (let round = 0; round < 3; round++) {
    const command = new Command(folder, ["serve", "--port", "0"]);
    const url = await command.url();
    let count = 0;
    const load = Array.from({ length: 10 }, async (_, user) => {
      for (let index = 0; ; index++) {
        const message = `round ${round} message ${index} of ${user}`;
        const { status } = await chat({ url }, `user-${user}`, message);
        if (status !== 200) return;
        count += 1;
        acknowledged.set(`user-${user}`, [...(acknowledged.get(`user-${user}`) ?? []), message]);
      }
    });
    const over = Promise.allSettled(load);
    await eventually(() => count >= 50);
    command.child.kill("SIGKILL");
    await over;
    await command.ended;
  }
  await audit(path.join(folder, "chat.db"), acknowledged);
});

async function audit(file: string, acknowledged: ReadonlyMap<string, string[]>): Promise<void> {
  const memory = new SqliteMemory(file);
  cleanUp(() => memory.close());
  expect(acknowledged.size).toBe(10);
  for (const [user, messages] of acknowledged) {
    const history = await memory.getMessages(user);
    const asked = history.filter(({ role }) => role === "user").map(({ content }) => content);
    expect(asked).toEqual(expect.arrayContaining(messages));
    expect(asked.filter((text) => messages.includes(text))).toEqual(messages);
    expect(asked.every((text) => text.endsWith(` of ${user.slice(5)}`))).toBe(true);
    expect(history.map(({ role }) => role[0]).join("")).toMatch(/^(ua)+$/);
  }
}

const faults: [string, string[], number, RegExp][] = [
  ["another address than loopback", ["--host", "0.0.0.0"], 2, /--allow-anonymous/],
  ["no port", ["--port", "x"], 2, /is not a port/],
  ["too high a port", ["--port", "65536"], 2, /is not a port/],
  ["no address", ["--host", "no.such.host.invalid", "--allow-anonymous"], 2, /Cannot listen on/],
  ["a missing store", ["--store", "nonsense:x"], 3, /nonsense/],
  ["an invalid duration", ["--remove-inactive", "soon"], 2, /24h/],
];

test.each(faults)("%s is one clear line", async (_, args, code, words) => {
  const model = ["--model", "demo"];
  const command = new Command(temporaryFolder(), ["serve", "--port", "0", ...model, ...args]);
  expect(await command.ended).toBe(code);
  expect(command.lines).toHaveLength(1);
  expect(command.lines[0]).toMatch(words);
});

test("a port in use is one clear line", async () => {
  const { port } = await serve();
  const args = ["serve", "--model", "demo", "--port", String(port)];
  const command = new Command(temporaryFolder(), args);
  expect(await command.ended).toBe(4);
  expect(command.lines).toEqual([
    `agno-chat: Port ${port} of 127.0.0.1 is in use. ` +
      "Choose another with --port, or stop the program that listens there.",
  ]);
});

const DAY = 86_400_000;

/** A memory with one user active two days ago and one active now. */
async function idleMemory(): Promise<{ folder: string; users: () => Promise<string[]> }> {
  const folder = temporaryFolder();
  const file = path.join(folder, "chat.db");
  const before = new SqliteMemory(file, { now: () => Date.now() - 2 * DAY });
  await before.add([userMessage("long ago")], "idle");
  await before.close();
  const memory = new SqliteMemory(file);
  cleanUp(() => memory.close());
  await memory.add([userMessage("now")], "here");
  return { folder, users: async () => (await memory.users()).map(({ userId }) => userId) };
}

test("serve --remove-inactive deletes all data of idle users and reports how much", async () => {
  const { folder, users } = await idleMemory();
  const args = ["serve", "--port", "0", "--model", "demo", "--remove-inactive", "24h"];
  const command = new Command(folder, args);
  await command.line(/^Deleted 1 message of 1 inactive user\.$/);
  expect(await users()).toEqual(["here"]);
});

test("serve --remove-inactive deletes most users only with --yes", async () => {
  const { folder, users } = await idleMemory();
  const memory = new SqliteMemory(path.join(folder, "chat.db"), { now: () => Date.now() - DAY });
  for (const user of ["a", "b", "c", "d", "e"]) await memory.add(userMessage("hi"), user);
  await memory.close();
  const args = ["serve", "--port", "0", "--model", "demo", "--remove-inactive", "1h"];
  const command = new Command(folder, args);
  await command.line(/6 of 7 users look inactive.*Check the clock\. With serve --yes/);
  expect(await users()).toHaveLength(7);
  const told = new Command(folder, [...args, "--yes"]);
  await told.line(/^Deleted 6 messages of 6 inactive users\.$/);
  expect(await users()).toEqual(["here"]);
});

test("prune names the share when it asks to delete most users, and yes is enough", async () => {
  const { folder, users } = await idleMemory();
  const memory = new SqliteMemory(path.join(folder, "chat.db"), { now: () => Date.now() - DAY });
  for (const user of ["a", "b", "c", "d", "e"]) await memory.add(userMessage("hi"), user);
  await memory.close();
  const asked = new Command(folder, ["prune", "--inactive", "1h"]);
  expect(await asked.ended).toBe(2);
  expect(asked.lines.join()).toContain("6 inactive users, of 7 users in all? Check the clock");
  expect(await users()).toHaveLength(7);
  const told = new Command(folder, ["prune", "--inactive", "1h", "--yes"]);
  expect(await told.ended).toBe(0);
  expect(await users()).toEqual(["here"]);
});

test("prune counts first, asks, and deletes what it said", async () => {
  const { folder, users } = await idleMemory();
  const prune = async (...args: string[]) => {
    const command = new Command(folder, ["prune", ...args]);
    return { code: await command.ended, stdout: command.stdout, stderr: command.lines.join() };
  };
  expect(await prune("--inactive", "24h", "--dry-run")).toMatchObject({
    code: 0,
    stdout: "Would delete 1 message of 1 inactive user.\n",
  });
  expect(await prune("--inactive", "24h")).toMatchObject({ code: 2, stdout: "" });
  expect(await prune("--inactive", "1y")).toMatchObject({ code: 2 });
  expect(await prune()).toMatchObject({ code: 2 });
  expect(await users()).toEqual(["here", "idle"]);
  const { code, stdout } = await prune("--inactive", "24h", "--yes", "--json");
  expect({ code, document: JSON.parse(stdout) }).toEqual({
    code: 0,
    document: { ok: true, dryRun: false, deleted: { users: 1, sessions: 1, messages: 1 } },
  });
  expect(await users()).toEqual(["here"]);
});
