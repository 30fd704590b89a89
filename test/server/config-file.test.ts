import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { Gate } from "../agent/support.js";
import { ModelServer, streamedText } from "../support/model-server.js";
import { Command, chat, cleanUp, lateText, temporaryFolder } from "./support.js";

/** `serve` in a folder of its own, with this content of its file. */
function serveWith(content: object | string, ...args: readonly string[]) {
  const folder = temporaryFolder();
  const file = path.join(folder, "server.json");
  const write = (next: object | string) =>
    writeFileSync(file, typeof next === "string" ? next : JSON.stringify(next), { mode: 0o600 });
  write(content);
  const command = new Command(folder, ["serve", "--config", file, ...args]);
  return { folder, file, write, command };
}

const DEMO = { model: "demo", store: "memory:", port: 0 };

describe("serve --config", () => {
  test("takes settings and options of serve from the file, and flags win", async () => {
    const content = { ...DEMO, host: "127.0.0.9", removeInactive: "1h" };
    const { command } = serveWith(content);
    expect(await command.url()).toContain("127.0.0.9");
    await command.line(/^Deleted 0 messages of 0 inactive users\.$/);
    const flagged = serveWith(content, "--host", "127.0.0.1");
    expect(await flagged.command.url()).toContain("127.0.0.1");
  });

  test("reads it in place of the settings file", async () => {
    const { folder, command } = serveWith(DEMO);
    writeFileSync(path.join(folder, "settings.json"), "not JSON", { mode: 0o600 });
    const reply = await chat({ url: await command.url() }, "alice", "Thanks");
    expect(reply).toMatchObject({ status: 200, json: { reply: "You're welcome!" } });
  });

  test.each([
    ["an unknown key", { ...DEMO, allowAnonymus: true }, "Did you mean allowAnonymous?"],
    ["a switch that is a text", { ...DEMO, allowAnonymous: "yes" }, "true or false"],
    ["an option of the wrong type", { ...DEMO, host: true }, "as a text in quotes"],
    ["another file", { ...DEMO, config: "other.json" }, 'unknown setting "config"'],
    ["an invalid setting", { ...DEMO, user: "" }, "user"],
    ["what is not JSON", "{", "line 1, column 2"],
  ])("refuses %s, and says what is wrong", async (_, content, words) => {
    const { command } = serveWith(content);
    expect(await command.line(/agno-chat: /)).toContain(words);
    expect(await command.ended).toBeGreaterThanOrEqual(2);
  });

  test("refuses a file that is not there, or that others can write", async () => {
    const absent = new Command(temporaryFolder(), ["serve", "--config", "absent.json"]);
    expect(await absent.line(/absent\.json/)).toContain("does not exist");
    expect(await absent.ended).toBe(3);
    const folder = temporaryFolder();
    const file = path.join(folder, "server.json");
    writeFileSync(file, JSON.stringify(DEMO));
    chmodSync(file, 0o666);
    const open = new Command(folder, ["serve", "--config", file]);
    expect(await open.line(/can be written by others/)).toContain("chmod go-w");
    expect(await open.ended).toBe(3);
  });
});

describe("SIGHUP with --config", () => {
  const keysOf = (model: ModelServer) => model.requests.map(({ headers }) => headers.authorization);

  async function serveKey() {
    const model = await ModelServer.start(streamedText("ok"));
    cleanUp(() => model.close());
    const content = (apiKey: string) => ({
      ...{ store: "memory:", port: 0, baseUrl: model.url, model: "test-model", apiKey },
    });
    const server = serveWith(content("key-of-yesterday"));
    const url = await server.command.url();
    const ask = async () => {
      const { status } = await chat({ url }, "alice", "Hi");
      return status;
    };
    const change = (next: object | string) => {
      server.write(next);
      server.command.child.kill("SIGHUP");
    };
    return { model, content, ask, change, command: server.command };
  }

  test("takes the new key, without a request lost", async () => {
    const { model, content, ask, change, command } = await serveKey();
    const gate = new Gate();
    model.reply(lateText("late", gate), streamedText("ok"));
    const arrived = model.nextRequest();
    const underWay = ask();
    await arrived;
    change(content("key-of-today"));
    await command.line(/^Reloaded the model test-model, its key and the limits\.$/);
    gate.open();
    expect(await Promise.all([underWay, ask()])).toEqual([200, 200]);
    expect(keysOf(model)).toEqual(["Bearer key-of-yesterday", "Bearer key-of-today"]);
  });

  test("takes the new limits of everybody", async () => {
    const { content, ask, change, command } = await serveKey();
    expect([await ask(), await ask()]).toEqual([200, 200]);
    change({ ...content("key"), maxRequestsPerMinute: 0 });
    await command.line(/^Reloaded/);
    expect(await ask()).toBe(429);
  });

  test("keeps everything if the file is not valid, and says so", async () => {
    const { model, ask, change, command } = await serveKey();
    change("{");
    expect(await command.line(/^Nothing was reloaded/)).toContain("line 1, column 2");
    expect(await ask()).toBe(200);
    expect(keysOf(model)).toEqual(["Bearer key-of-yesterday"]);
  });
});
