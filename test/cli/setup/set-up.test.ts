import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BuildOptions, build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bundleOptions } from "../../../scripts/build.mjs";
import { BIN, Cli } from "../../support/cli.js";
import {
  ModelServer,
  type Reply,
  silence,
  status,
  streamedText,
} from "../../support/model-server.js";
import { Pty } from "../../support/pty.js";

const KEY = "sk-typed-0123456789";

const root = mkdtempSync(path.join(tmpdir(), "set-up-"));
afterAll(() => rmSync(root, { recursive: true }));

let home: string;
let server: ModelServer;
let pty: Pty;

beforeEach(() => {
  home = path.join(mkdtempSync(path.join(root, "run-")), "home");
});
afterEach(async () => {
  await pty?.close();
  await server?.close();
});

interface Setting {
  readonly replies?: Reply | readonly Reply[];
  readonly models?: readonly string[] | Reply;
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly args?: readonly string[];
}

const HELLO = streamedText("Hello there, my dear friend!");

async function start({ replies = HELLO, models, args = [BIN, "config"], ...rest }: Setting = {}) {
  server = await ModelServer.start(replies, models === undefined ? {} : { models });
  pty = open({ args, ...rest });
  await pty.waitFor("Which server?");
}

const open = ({ args = [], env = {}, columns = 120 }: Setting): Pty =>
  new Pty({ file: process.execPath, args, env: { AGNO_CHAT_HOME: home, ...env }, columns });

const file = () => path.join(home, "settings.json");
const saved = () => JSON.parse(readFileSync(file(), "utf8"));

function write(settings: object): void {
  mkdirSync(home);
  writeFileSync(file(), JSON.stringify(settings));
}

const keysSeen = () => server.requests.map(({ headers }) => headers.authorization ?? null);

/** Up to the question for the key. */
async function nameServer(): Promise<void> {
  pty.press("up", "enter");
  await pty.waitFor("Base URL, ending in /v1");
  pty.type(server.url);
  pty.press("enter");
  await pty.waitFor("Key, or !command (Enter alone: none)");
}

/** Up to the question for the model. */
async function giveKey(key = KEY): Promise<void> {
  pty.type(key);
  pty.press("enter");
  await pty.waitFor("Which model?");
}

async function ends(): Promise<number> {
  return (await pty.exited).exitCode;
}

describe("the set-up", () => {
  test("asks, tries the model and saves it in a file only its owner can read", async () => {
    await start({ models: ["alpha", "beta"] });
    await nameServer();
    await giveKey();
    pty.type("BET");
    await pty.waitFor("❯ beta");
    pty.press("enter");
    expect(await ends()).toBe(0);
    expect(pty.screen.join("\n")).toContain('✔ "Hello there, my dear friend!"');
    expect(pty.screen.join("\n")).toContain(`✔ Saved in ${file()}`);
    expect(saved()).toEqual({ baseUrl: server.url, apiKey: KEY, model: "beta" });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ body: { model: "beta" } });
    const asked = await new Cli().run(["ask", "Hi", "--quiet"], { env: { AGNO_CHAT_HOME: home } });
    expect(asked).toMatchObject({ code: 0, stdout: "Hello there, my dear friend!\n" });
    expect(keysSeen()).toEqual([`Bearer ${KEY}`, `Bearer ${KEY}`]);
  });

  test("never shows the API key, whatever is pressed and whatever the server repeats", async () => {
    await start({ replies: status(401, { error: { message: `Incorrect API key: ${KEY}` } }) });
    await nameServer();
    pty.type(KEY);
    await pty.waitFor("*".repeat(KEY.length));
    pty.press("ctrl-t", "left", "up", "down", "ctrl-t");
    await giveKey("");
    pty.press("enter");
    await pty.waitFor("What now?");
    pty.press("up", "enter");
    await ends();
    expect(saved().apiKey).toContain(KEY);
    for (let start = 0; start + 8 <= KEY.length; start++)
      expect(pty.raw).not.toContain(KEY.slice(start, start + 8));
  });

  test("accepts a model that the server does not list, and a server that lists none", async () => {
    await start({ models: [] });
    await nameServer();
    pty.press("enter");
    await pty.waitFor("Type the model's name");
    pty.type("my/model");
    await pty.waitFor("❯ my/model (as typed)");
    pty.press("enter");
    expect(await ends()).toBe(0);
    expect(saved()).toEqual({ baseUrl: server.url, model: "my/model" });
    expect(keysSeen()).toEqual([null]);
  });

  test("refuses an invalid URL before the next question", async () => {
    await start();
    pty.press("up", "enter");
    await pty.waitFor("Base URL");
    pty.type("localhost:8080");
    pty.press("enter");
    await pty.waitFor("must be an http or https URL");
    expect(server.connections).toBe(0);
  });

  test("stores a key command as it is, and tries the key it prints", async () => {
    await start({ env: { VAULT: "sk-vault" } });
    await nameServer();
    await giveKey("!echo $VAULT");
    pty.press("enter");
    expect(await ends()).toBe(0);
    expect(saved().apiKey).toBe("!echo $VAULT");
    expect(keysSeen()).toEqual(["Bearer sk-vault"]);
    expect(pty.raw).not.toContain("sk-vault");
  });

  test("removes the settings of an earlier server and changes no others", async () => {
    write({
      baseUrl: "http://x/v1",
      apiKey: "sk-old",
      apiKeyEnv: "OLD",
      model: "old",
      user: "bob",
    });
    await start({ env: { OLD: "sk-older" } });
    await nameServer();
    pty.press("enter");
    await pty.waitFor("Which model?");
    pty.press("enter");
    expect(await ends()).toBe(0);
    expect(saved()).toEqual({ user: "bob", baseUrl: server.url, model: "test-model" });
    expect(keysSeen()).toEqual([null]);
  });

  test("never sends the environment's key, and names the variables that override the file", async () => {
    const env = { OPENAI_API_KEY: "sk-environment", OPENAI_BASE_URL: "http://127.0.0.1:9/v1" };
    await start({ env: { ...env, AGNO_CHAT_MODEL: "other" } });
    await nameServer();
    await giveKey();
    pty.press("enter");
    expect(await ends()).toBe(0);
    expect(keysSeen()).toEqual([`Bearer ${KEY}`]);
    expect(pty.screen.join("\n")).toMatch(/unset OPENAI_BASE_URL, AGNO_CHAT_MODEL, OPENAI_API_KEY/);
  });

  test("never lets a server's control characters reach the terminal", async () => {
    const foreign = "\x1b]0;owned\x07\x1b[31mred\u202e";
    await start({ models: [`m${foreign}`], replies: streamedText(`Hi ${foreign} you`) });
    await nameServer();
    await giveKey();
    pty.press("enter");
    expect(await ends()).toBe(0);
    expect(pty.raw).not.toMatch(/owned|\x1b\[31mred|\u202e/);
    expect(pty.screen.join("\n")).toContain('✔ "Hi red you"');
  });

  test("fits forty columns and shows no more than the first words", async () => {
    const replies = streamedText(`Hello ${"my very ".repeat(50)}dear friend!`);
    await start({ columns: 40, models: ["alpha"], replies });
    await nameServer();
    await giveKey();
    pty.press("enter");
    expect(await ends()).toBe(0);
    const answer = pty.everything.join(" ").match(/✔ "Hello (?:my very )+.{0,8}…" \(/)?.[0];
    expect(answer?.length).toBeLessThan(70);
  });
});

describe("a model that does not answer", () => {
  test("can be tried again, with another key or model, or saved anyway", async () => {
    const wrongKey = status(401, { error: { message: "no" } });
    const noModel = status(404, { error: { message: "model not found" } });
    await start({ models: ["alpha"], replies: [status(500, "oops"), wrongKey, noModel, noModel] });
    await nameServer();
    await giveKey();
    pty.press("enter");
    // A failure is shown at once, without a retry.
    await pty.waitFor(/✖ \S+ failed \(500\).*What now\?/s);
    expect(server.requests).toHaveLength(1);
    pty.press("enter");
    await pty.waitFor(/✖ \S+ refused the API key \(401\).*What now\?.*❯/s);
    pty.press("down", "enter");
    await pty.waitFor((seen) => seen.screen.at(-1)?.startsWith("? Key, or !command") ?? false);
    pty.type("sk-second");
    pty.press("enter");
    await pty.waitFor(/✖ \S+ has no model alpha.*What now\?/s);
    pty.press("down", "down", "enter");
    await pty.waitFor(/Which model\?.*Which model\?.*❯ alpha/s);
    pty.type("gamma");
    await pty.waitFor("❯ gamma (as typed)");
    pty.press("enter");
    await pty.waitFor(/has no model gamma.*What now\?/s);
    expect(existsSync(file())).toBe(false);
    pty.press("up", "enter");
    expect(await ends()).toBe(0);
    expect(saved()).toEqual({ baseUrl: server.url, apiKey: "sk-second", model: "gamma" });
    expect(keysSeen().map((key) => key?.slice(-6))).toEqual([
      "456789",
      "456789",
      "second",
      "second",
    ]);
  });

  test("is given up after the time limit", async () => {
    await start({ replies: silence(), args: [BIN, "config", "--timeout", "0.3"] });
    await nameServer();
    await giveKey();
    pty.press("enter");
    await pty.waitFor(/✖ The answer was not complete within 0.3 s/);
  });

  test("can be replaced by another server, which gets none of its settings", async () => {
    const other = await ModelServer.start(HELLO, { models: ["other"] });
    await start({ replies: status(500) });
    await nameServer();
    await giveKey();
    pty.press("enter");
    await pty.waitFor("What now?");
    pty.press("down", "down", "down", "enter");
    await pty.waitFor(/choose another server.*❯ OpenAI/s);
    pty.press("up", "enter");
    await pty.waitFor((seen) => seen.screen.at(-1) === "? Base URL, ending in /v1");
    pty.type(other.url);
    pty.press("enter");
    await pty.waitFor((seen) => seen.screen.at(-1)?.startsWith("? Key, or") ?? false);
    pty.press("enter");
    await pty.waitFor("❯ other");
    pty.press("enter");
    expect(await ends()).toBe(0);
    expect(saved()).toEqual({ baseUrl: other.url, model: "other" });
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
    await other.close();
  });

  test("is not asked at all if its key command fails", async () => {
    await start();
    await nameServer();
    pty.type("!echo sk-out; exit 9");
    pty.press("enter");
    await pty.waitFor("✖ The command that prints the key failed with exit code 9.");
    expect(server.connections).toBe(0);
    expect(pty.raw).not.toContain("sk-out");
  });
});

describe("leaving the set-up", () => {
  const before = { user: "bob" };

  async function leaves(): Promise<void> {
    expect(await ends()).toBe(130);
    expect(pty.screen.at(-1)).toMatch(/^(\^C)?Nothing changed\.$/);
    expect(saved()).toEqual(before);
    // The cursor is visible again.
    expect(pty.raw.lastIndexOf("\x1b[?25h")).toBeGreaterThan(pty.raw.lastIndexOf("\x1b[?25l"));
  }

  test.each(["ctrl-c", "ctrl-d"] as const)(
    "by %s changes nothing, at any question",
    async (key) => {
      const stages = [
        async () => {},
        async () => {
          pty.press("up", "enter");
          await pty.waitFor("Base URL");
        },
        nameServer,
        async () => {
          await nameServer();
          await giveKey();
        },
        async () => {
          await nameServer();
          await giveKey();
          pty.press("enter");
          await pty.waitFor("What now?");
        },
      ];
      write(before);
      for (const reach of stages) {
        await start({ replies: status(500) });
        await reach();
        pty.press(key);
        await leaves();
        await pty.close();
        await server.close();
      }
    },
  );

  test("by Ctrl-C ends a call in progress", async () => {
    write(before);
    await start({ replies: silence() });
    await nameServer();
    await giveKey();
    const asked = server.nextRequest();
    pty.press("enter");
    await asked;
    pty.press("ctrl-c");
    await leaves();
  });

  test("by SIGTERM changes nothing", async () => {
    write(before);
    await start();
    pty.kill("SIGTERM");
    expect(await ends()).toBe(143);
    expect(saved()).toEqual(before);
  });
});

describe("local servers", () => {
  const program = path.join(root, "program.mjs");
  beforeAll(async () => {
    await build({
      ...(bundleOptions as BuildOptions),
      entryPoints: ["test/cli/setup/programs/set-up-program.ts"],
      outfile: program,
    });
  });

  test("are shown as running, and not asked again before the user has chosen one", async () => {
    server = await ModelServer.start(HELLO);
    const silent = await ModelServer.start(HELLO, { models: silence() });
    pty = open({ args: [program, server.url, silent.url] });
    await pty.waitFor("other URL");
    expect(pty.screen.filter((row) => row.includes("Nearby"))).toEqual([
      expect.stringMatching(/^❯ Nearby +running$/),
      "  Nearby",
    ]);
    expect(server.connections).toBe(1);
    expect(existsSync(home)).toBe(false);
    pty.press("enter");
    await pty.waitFor("❯ test-model");
    pty.press("enter");
    expect(await ends()).toBe(0);
    expect(saved()).toEqual({ baseUrl: server.url, model: "test-model" });
    expect(silent.connections).toBe(1);
    await silent.close();
  });
});

describe("config set apiKey on a terminal", () => {
  const ask = async (): Promise<void> => {
    pty = open({ args: [BIN, "config", "set", "apiKey"] });
    await pty.waitFor("? Key");
  };

  test("asks for the key and never shows it", async () => {
    await ask();
    pty.type(KEY);
    pty.press("ctrl-t", "enter");
    expect(await ends()).toBe(0);
    expect(saved()).toEqual({ apiKey: KEY });
    expect(pty.raw).not.toContain("0123");
  });

  test("can be left by Ctrl-C and Ctrl-D", async () => {
    for (const key of ["ctrl-c", "ctrl-d"] as const) {
      await ask();
      pty.press(key);
      expect(await ends()).toBe(130);
      expect(pty.screen.at(-1)).toBe("agno-chat: Nothing changed.");
      expect(existsSync(home)).toBe(false);
      await pty.close();
    }
  });
});

describe("config alone", () => {
  test("lists the settings without a terminal", async () => {
    const { code, stdout, stderr } = await new Cli().spawn(["config"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^user +default +default/);
  });

  test("lists the settings on a terminal too with --json or when the output is piped", async () => {
    pty = open({ args: [BIN, "config", "--json"], columns: 4000 });
    await ends();
    expect(JSON.parse(pty.screen.join(""))).toMatchObject({ ok: true });
    await pty.close();
    pty = new Pty({
      file: "/bin/sh",
      args: ["-c", `"${process.execPath}" "${BIN}" config | cat`],
      columns: 200,
      env: { AGNO_CHAT_HOME: home },
    });
    await ends();
    expect(pty.screen[0]).toMatch(/^user +default/);
  });
});
