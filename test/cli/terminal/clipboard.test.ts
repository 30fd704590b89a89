import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { copyText } from "../../../src/cli/terminal/clipboard.js";
import { sayAll, startRepl, temporaryFolder } from "../../support/repl-session.js";

const TEXT = "Grüße, 世界\n";
const OSC_52 = `\x1b]52;c;${Buffer.from(TEXT).toString("base64")}\x07`;

/** A folder of programs: each writes its input to a file beside itself and exits with its code. */
function programs(codes: Readonly<Record<string, number>>): string {
  const folder = temporaryFolder();
  for (const [name, code] of Object.entries(codes)) {
    const kept = path.join(folder, `${name}.kept`);
    const script = `#!/bin/sh\necho "$@" > ${kept}.args\n/bin/cat > ${kept}\nexit ${code}\n`;
    writeFileSync(path.join(folder, name), script, { mode: 0o700 });
  }
  return folder;
}

async function copied(
  env: Readonly<Record<string, string>>,
  platform: NodeJS.Platform = "linux",
): Promise<{ readonly to: string | undefined; readonly written: string }> {
  let written = "";
  const write = (sequence: string) => {
    written += sequence;
  };
  const { signal } = new AbortController();
  return { to: await copyText(TEXT, { env, platform, write, signal }), written };
}

test.each([
  ["pbcopy", {}, "darwin"],
  ["wl-copy", { WAYLAND_DISPLAY: "wayland-0", DISPLAY: ":0" }, "linux"],
  ["xclip", { DISPLAY: ":0" }, "linux"],
  ["xsel", { DISPLAY: ":0" }, "linux"],
] as const)(
  "%s copies if it is there, and nothing is sent to the terminal",
  async (name, env, system) => {
    const PATH = programs({ [name]: 0 });
    expect(await copied({ PATH, ...env }, system)).toEqual({ to: "clipboard", written: "" });
    expect(readFileSync(path.join(PATH, `${name}.kept`), "utf8")).toBe(TEXT);
  },
);

test.each([
  [{ WSL_DISTRO_NAME: "Debian" }, "linux"],
  [{}, "win32"],
] as const)("clip.exe gets UTF-16, with %j on %s", async (env, system) => {
  const PATH = programs({ "clip.exe": 0 });
  expect(await copied({ PATH, ...env }, system)).toMatchObject({ to: "clipboard" });
  expect(readFileSync(path.join(PATH, "clip.exe.kept"), "utf16le")).toBe(TEXT);
});

test("tmux keeps the text in its buffer and is asked to pass it on", async () => {
  const PATH = programs({ tmux: 0 });
  expect(await copied({ PATH, TMUX: "/tmp/t,1,0" })).toEqual({ to: "tmux", written: "" });
  expect(readFileSync(path.join(PATH, "tmux.kept"), "utf8")).toBe(TEXT);
  expect(readFileSync(path.join(PATH, "tmux.kept.args"), "utf8")).toBe("load-buffer -w -\n");
});

test("when programs fail or are missing, the terminal is asked to copy", async () => {
  const PATH = programs({ xclip: 1, tmux: 1 });
  const env = { PATH, DISPLAY: ":0", WAYLAND_DISPLAY: "wayland-0", TMUX: "/tmp/t,1,0" };
  expect(await copied(env)).toEqual({ to: "terminal", written: OSC_52 });
});

test("over SSH, the remote machine's clipboard stays as it is", async () => {
  const PATH = programs({ xclip: 0 });
  const env = { PATH, DISPLAY: ":0", SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22" };
  expect(await copied(env)).toEqual({ to: "terminal", written: OSC_52 });
  expect(existsSync(path.join(PATH, "xclip.kept"))).toBe(false);
});

test("a dumb terminal gets no sequence", async () => {
  expect(await copied({ PATH: "", TERM: "dumb" })).toEqual({ to: undefined, written: "" });
});

test('the screen says "Copied" only when that is certain', async () => {
  const PATH = `${programs({ xclip: 0 })}:${process.env.PATH}`;
  const known = await startRepl({ env: { PATH, DISPLAY: ":0" } });
  await sayAll(known, "My name is Alice", "/copy");
  await known.waitFor(/Copied \d+ characters\.\n/);
  const unknown = await startRepl();
  await sayAll(unknown, "My name is Alice", "/copy");
  await unknown.waitFor(/Sent \d+ characters to the terminal, which may not let programs copy\./);
  expect(unknown.screen.join("\n")).not.toContain("Copied");
});
