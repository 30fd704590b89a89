import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BIN, Cli, temporaryFolder } from "../support/cli.js";

const KEY = "sk-file-0123456789abcdefghijkl";

const fileOf = ({ home }: Cli) => join(home, "settings.json");
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

async function settingOf(cli: Cli, name: string, ...args: Parameters<Cli["json"]>) {
  const { value, origin } = await cli.json(["config", "get", name, ...args[0]], args[1]);
  return [value, origin];
}

describe("a setting", () => {
  it("is taken from the flag, else the environment, else the file, else the default", async () => {
    const cli = new Cli();
    const env = { AGNO_CHAT_USER: "eve" };
    expect(await settingOf(cli, "user", [])).toEqual(["default", "default"]);
    await cli.run(["config", "set", "user", "felix"]);
    expect(await settingOf(cli, "user", [])).toEqual(["felix", "settings file"]);
    expect(await settingOf(cli, "user", [], { env })).toEqual(["eve", "environment"]);
    expect(await settingOf(cli, "user", ["-u", "flora"], { env })).toEqual(["flora", "flag"]);
    expect((await cli.json(["size"], { env })).user).toBe("eve");
  });

  it("counts an empty variable as unset", async () => {
    const cli = new Cli({ AGNO_CHAT_USER: "", OPENAI_API_KEY: "", OPENAI_BASE_URL: "" });
    expect((await cli.json(["size"])).user).toBe("default");
    expect(await cli.json(["models"])).toEqual({ ok: true, models: ["demo"] });
  });

  it("that is an id is refused as a number, which could be read as another user's", async () => {
    const cli = new Cli();
    for (const number of ["12345678901234567890", "1.0"]) {
      writeFileSync(fileOf(cli), `{ "user": ${number} }`);
      const { code, stderr } = await cli.run(["size"]);
      expect(code).toBe(3);
      expect(stderr).toMatch(/The setting user .* must be a text in quotes/);
    }
    writeFileSync(fileOf(cli), '{ "user": "1.0", "historyLimit": 12, "timeout": 2.5 }');
    expect((await cli.json(["size"])).user).toBe("1.0");
  });

  it("is listed with its value and origin, a key by its last characters", async () => {
    const cli = new Cli({ OPENAI_API_KEY: KEY });
    await cli.run(["config", "set", "timeout", "30"]);
    const { ok, settings } = await cli.json(["config", "list", "-u", "alice"]);
    expect(ok).toBe(true);
    expect(settings).toEqual(
      expect.arrayContaining([
        { name: "user", value: "alice", origin: "flag" },
        { name: "apiKey", value: "…ijkl", origin: "environment" },
        { name: "timeout", value: "30", origin: "settings file" },
        { name: "model", value: null, origin: "default" },
      ]),
    );
    const { stdout } = await cli.run(["config"]);
    expect(stdout).toMatch(/^timeout +30 +settings file +seconds a reply may take$/m);
    expect(stdout).not.toContain(KEY);
  });

  it("of several lines stays in its row", async () => {
    const cli = new Cli();
    await cli.run(["config", "set", "system", "Be brief.\nuser  mallory"]);
    const { stdout } = await cli.run(["config"]);
    expect(stdout).not.toMatch(/^user {2}mallory/m);
  });

  it("is set, got and unset, also with --json", async () => {
    const cli = new Cli();
    expect(await cli.run(["config", "set", "model", "demo"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "Set model.\n",
    });
    expect((await cli.run(["config", "get", "model"])).stdout).toBe("demo\n");
    expect(await cli.json(["config", "unset", "model"])).toEqual({ ok: true, name: "model" });
    expect(await cli.run(["config", "get", "model"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "model is not set.\n",
    });
  });

  it("is kept in the file that config path names", async () => {
    const cli = new Cli();
    expect((await cli.run(["config", "path"])).stdout).toBe(`${fileOf(cli)}\n`);
    expect(await cli.json(["config", "path"])).toEqual({ ok: true, path: fileOf(cli) });
    await cli.run(["config", "set", "user", "alice"]);
    expect(JSON.parse(readFileSync(fileOf(cli), "utf8"))).toEqual({ user: "alice" });
  });

  it("is in a file and a folder that only the owner can read", async () => {
    const cli = new Cli();
    const home = join(cli.home, "new", "home");
    const env = { AGNO_CHAT_HOME: home };
    await cli.run(["config", "set", "user", "alice"], { env });
    expect([modeOf(home), modeOf(join(home, "settings.json"))]).toEqual(["700", "600"]);
    chmodSync(join(home, "settings.json"), 0o644);
    await cli.run(["config", "set", "user", "bob"], { env });
    expect(modeOf(join(home, "settings.json"))).toBe("600");
  });
});

describe("a bad value", () => {
  it.each([
    [{ AGNO_CHAT_USER: " alice" }, [], 2, "AGNO_CHAT_USER"],
    [{ OPENAI_BASE_URL: "localhost" }, [], 3, "OPENAI_BASE_URL"],
    [{}, ["--user", " alice"], 2, "--user"],
    [{}, ["--session", "a\u202eb"], 2, "--session"],
    [{}, ["--timeout", "-1"], 2, "--timeout"],
  ])("of %j %j names where it comes from", async (env, flags, code, place) => {
    const result = await new Cli(env).run(["size", ...flags]);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toContain(place);
    expect(result.stderr).toMatch(/^agno-chat: [^\n]+\n$/);
  });

  it.each([
    [{ timeout: "soon" }, "timeout"],
    [{ user: null }, "user"],
    [{ user: { __proto__: null, a: 1 } }, "user"],
    [{ model: ["x"] }, "model"],
    [{ historyLimit: -5 }, "historyLimit"],
  ])(
    "of the file %j is refused with its name, and can be repaired with unset and set",
    async (file, name) => {
      const cli = new Cli();
      writeFileSync(fileOf(cli), JSON.stringify(file));
      const { code, stderr } = await cli.run(["size"]);
      expect(code).toBe(3);
      expect(stderr).toMatch(new RegExp(`^agno-chat: The setting ${name}\\b[^\\n]+\\n$`));
      expect(await cli.run(["config", "unset", name])).toMatchObject({ code: 0 });
      expect(await cli.run(["size"])).toMatchObject({ code: 0 });
    },
  );

  it("is not stored", async () => {
    const cli = new Cli();
    for (const [name = "", value = ""] of [
      ["timeout", "soon"],
      ["user", " x"],
      ["baseUrl", "ftp://x"],
      ["apiKeyEnv", KEY],
      ["store", ""],
    ])
      expect(await cli.run(["config", "set", name, value])).toMatchObject({ code: 2 });
    expect(readdirSync(cli.home)).toEqual([]);
  });
});

it("a password inside a URL is never shown", async () => {
  const secret = "pa@ss:word";
  const cli = new Cli({ AGNO_CHAT_STORE: `postgres://chat:${secret}@db.example/chat` });
  await cli.run(["config", "set", "baseUrl", `https://me:${secret}@models.example/v1`]);
  const shown = [
    await cli.run(["config"]),
    await cli.run(["config", "list", "--json"]),
    await cli.run(["users", "--debug"]),
    await cli.run(["ask", "Hi", "--store", "memory:", "--debug"]),
    await cli.run(["config", "set", "baseUrl", `ftp://me:${secret}@models.example`]),
  ];
  expect(JSON.stringify(shown)).not.toMatch(/pa@ss|ss:word/);
  expect(shown[0]?.stdout).toContain("https://me:…@models.example/v1");
});

describe("a settings file that cannot be read", () => {
  it.each(["{", "", "[]", "[1]", "null", '"text"', "42", "\u0000"])(
    "(%j) is one line and exit code 3, and stays as it is",
    async (content) => {
      const cli = new Cli();
      writeFileSync(fileOf(cli), content);
      for (const args of [["size"], ["ask", "Hi"], ["config", "set", "user", "x"]]) {
        const { code, stdout, stderr } = await cli.run(args);
        expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
        expect(stderr).toMatch(/^agno-chat: Cannot read the settings file [^\n]+\n$/);
        expect(stderr).toContain(fileOf(cli));
      }
      expect(readFileSync(fileOf(cli), "utf8")).toBe(content);
      expect(await cli.run(["--help"])).toMatchObject({ code: 0 });
    },
  );

  it("because it is a folder says so", async () => {
    const cli = new Cli();
    mkdirSync(fileOf(cli));
    const { ok, error } = await cli.json(["size"]);
    expect({ ok, code: error.code }).toEqual({ ok: false, code: "CONFIG_INVALID" });
    expect(error.message).toContain("directory (EISDIR)");
  });

  it.each([
    ['{\n  "user": "alice",\n}', "property name expected in line 3, column 1"],
    ['{ "apiKey": sk-secret-0123456789 }', "invalid symbol in line 1, column 13"],
    ['{\n  "user": "alice"\n  "model": "demo"\n}', "comma expected in line 3, column 3"],
    ["[1]", "it is not a JSON object"],
    [Buffer.from('{"user":"\xff"}', "latin1"), "it is not UTF-8 text"],
    [Buffer.from('\ufeff{"user":"alice"}', "utf16le"), "it is UTF-16 text"],
  ])("of %j names the fault and its place, and quotes nothing", async (content, fault) => {
    const cli = new Cli();
    writeFileSync(fileOf(cli), content);
    const { code, stderr } = await cli.run(["size", "--debug"]);
    expect(code).toBe(3);
    expect(stderr).toContain(`: ${fault}.`);
    expect(stderr).not.toContain("secret");
  });

  it("does not include one with a byte order mark: it is read, and written without it", async () => {
    const cli = new Cli();
    writeFileSync(fileOf(cli), '\ufeff{"user":"alice"}');
    expect((await cli.json(["size"])).user).toBe("alice");
    expect(await cli.run(["config", "set", "model", "demo"])).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(fileOf(cli), "utf8"))).toEqual({ user: "alice", model: "demo" });
  });
});

describe("settings that others can write", () => {
  it.each([
    ["the file", fileOf, 0o620],
    ["the file", fileOf, 0o602],
    ["the folder", ({ home }: Cli) => home, 0o770],
    ["the folder", ({ home }: Cli) => home, 0o777],
  ])(
    "are not used if %s is writable by others: none of their commands run",
    async (_, of, mode) => {
      const cli = new Cli();
      const trace = join(cli.home, "trace");
      writeFileSync(fileOf(cli), JSON.stringify({ apiKey: `!touch ${trace}`, model: "x" }));
      chmodSync(of(cli), mode);
      const { code, stdout, stderr } = await cli.run(["ask", "Hi"]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toBe(
        `agno-chat: The settings are not used: ${of(cli)} can be written by others. ` +
          `Run chmod go-w ${of(cli)}, or name another folder in AGNO_CHAT_HOME.\n`,
      );
      expect(existsSync(trace)).toBe(false);
    },
  );

  it.runIf(process.getuid?.() === 0)("and not those of another account", async () => {
    const cli = new Cli();
    writeFileSync(fileOf(cli), '{"user":"mallory"}');
    chownSync(fileOf(cli), 12345, 12345);
    const { code, stderr } = await cli.run(["size"]);
    expect(code).toBe(3);
    expect(stderr).toContain("belongs to another user");
  });
});

describe("settings that cannot be written", () => {
  it("name the file and the reason", async () => {
    const cli = new Cli();
    writeFileSync(join(cli.home, "file"), "");
    const home = join(cli.home, "file", "home");
    const { error } = await cli.json(["config", "set", "user", "alice"], {
      env: { AGNO_CHAT_HOME: home },
    });
    expect(error.code).toMatch(/^(FILE_UNWRITABLE|CONFIG_INVALID)$/);
    expect(error.message).toContain(join(home, "settings.json"));
    expect(error.message).toContain("not a directory (ENOTDIR)");
  });
});

describe("without a usable home folder", () => {
  const HOMELESS = ["", "relative/home", "."];

  it.each(HOMELESS)("HOME=%j: what needs one ends with 3 and writes nothing", async (HOME) => {
    const cwd = temporaryFolder();
    const { status, stderr } = homeless(["ask", "--model", "demo", "Hi"], { HOME, cwd });
    expect(status).toBe(3);
    expect(stderr).toMatch(/^agno-chat: There is no home folder [^\n]+ AGNO_CHAT_HOME[^\n]+\n$/);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it.each(HOMELESS)("HOME=%j: what needs none works", (HOME) => {
    const cwd = temporaryFolder();
    const flags = ["--model", "demo", "--store", "memory:"];
    for (const args of [["demo"], ["ask", "Hi", ...flags], [...flags, "users"], ["config"]])
      expect(homeless(args, { HOME, cwd })).toMatchObject({ status: 0 });
    expect(readdirSync(cwd)).toEqual([]);
  });

  function homeless(args: string[], { HOME, cwd }: { HOME: string; cwd: string }) {
    const env = { ...process.env, HOME, AGNO_CHAT_HOME: "" };
    return spawnSync(process.execPath, [BIN, ...args], { env, cwd, encoding: "utf8", input: "" });
  }
});

describe("config set apiKey", () => {
  it("refuses the key as an argument, without repeating it", async () => {
    const cli = new Cli();
    for (const flags of [[], ["--json"], ["--debug"]]) {
      const { code, stdout, stderr } = await cli.run(["config", "set", "apiKey", KEY, ...flags]);
      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain(KEY);
    }
    expect(readdirSync(cli.home)).toEqual([]);
  });

  it("reads it from stdin, stores it for the owner alone, and never shows it", async () => {
    const cli = new Cli();
    const shown = [
      await cli.run(["config", "set", "apiKey"], { input: `  ${KEY}\r\n` }),
      await cli.run(["config"]),
      await cli.run(["config", "list", "--json"]),
      await cli.run(["config", "get", "apiKey"]),
      await cli.run(["config", "get", "apiKey", "--json", "--debug"]),
    ];
    expect(shown.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(JSON.stringify(shown)).not.toContain(KEY);
    expect(JSON.parse(readFileSync(fileOf(cli), "utf8")).apiKey).toBe(KEY);
    expect(modeOf(fileOf(cli))).toBe("600");
  });

  it("of a short key shows nothing of it", async () => {
    const cli = new Cli();
    await cli.run(["config", "set", "apiKey"], { input: "abcd" });
    expect((await cli.run(["config", "get", "apiKey"])).stdout).toBe("…\n");
  });

  it("of nothing is refused", async () => {
    expect(await new Cli().run(["config", "set", "apiKey"])).toMatchObject({ code: 2 });
  });
});

it.each(["__proto__", "constructor", "prototype", "a.b", "user.name", "", "toString"])(
  "a setting called %j does not exist, and touches nothing",
  async (name) => {
    const cli = new Cli();
    await cli.run(["config", "set", "user", "alice"]);
    for (const args of [
      ["get", name],
      ["set", name, "x"],
      ["unset", name],
    ])
      expect(await cli.run(["config", ...args])).toMatchObject({ code: 2, stdout: "" });
    expect(readFileSync(fileOf(cli), "utf8")).toMatch(/^\{\s*"user": "alice"\s*\}$/);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  },
);

it("config names what it does not know in the settings file, and keeps it", async () => {
  const cli = new Cli();
  writeFileSync(fileOf(cli), '{"modle":"demo"}');
  const { code, stderr } = await cli.run(["config", "list"]);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'The settings file has the unknown setting "modle".\n',
  });
  await cli.run(["config", "set", "user", "alice"]);
  expect(JSON.parse(readFileSync(fileOf(cli), "utf8"))).toEqual({ modle: "demo", user: "alice" });
});

it("only the known names of a hostile settings file are read", async () => {
  const cli = new Cli();
  writeFileSync(
    fileOf(cli),
    '{"__proto__":{"user":"mallory"},"constructor":1,"a.b":2,"timeout":5}',
  );
  expect((await cli.json(["size"])).user).toBe("default");
  expect(await settingOf(cli, "timeout", [])).toEqual(["5", "settings file"]);
});
