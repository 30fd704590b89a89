import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { transform } from "esbuild";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;

/** Only the executable and its package.json. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "agno-chat-bin-"));
  await cp("bin", path.join(folder, "bin"), { recursive: true });
  await cp("package.json", path.join(folder, "package.json"));
});

afterEach(() => rm(folder, { recursive: true }));

test.each(["--version", "-V"])(
  "%s prints the version of the package and loads nothing",
  async (flag) => {
    const { version } = JSON.parse(await readFile("package.json", "utf8"));
    expect(start([flag])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  },
);

test("a missing build is one clear line", () => {
  expect(start([])).toEqual({
    status: 1,
    stdout: "",
    stderr: "agno-chat is not built yet. Run: npm run build\n",
  });
});

test.each(["12.22.12", "18.20.8", "20.19.6"])("Node %s is refused in one clear line", (version) => {
  expect(start(["--version"], { pretending: version })).toEqual({
    status: 1,
    stdout: "",
    stderr:
      `agno-chat needs Node 20.20 or later; this is Node ${version}. ` +
      "Get one at https://nodejs.org.\n",
  });
});

test.each(["20.20.0", "22.0.0"])("Node %s is new enough", (version) => {
  expect(start(["--version"], { pretending: version }).status).toBe(0);
});

test("an old Node can parse the executable", async () => {
  const code = await readFile("bin/agno-chat.js", "utf8");
  const forOldNode = await transform(code, { target: "node12.20" });
  const forNewNode = await transform(code, { target: "esnext" });
  expect(forOldNode.code).toBe(forNewNode.code);
});

test("the program gets the arguments and decides the exit code", async () => {
  await mkdir(path.join(folder, "dist/cli"), { recursive: true });
  await writeFile(
    path.join(folder, "dist/cli/main.js"),
    "export async function main(argv, io) { io.stdout.write(argv.join()); return 5; }",
  );
  expect(start(["ask", "Hi"])).toEqual({ status: 5, stdout: "ask,Hi", stderr: "" });
});

function start(args: string[], { pretending }: { pretending?: string } = {}) {
  const options = pretending === undefined ? [] : ["--import", pretendToBe(pretending)];
  const file = path.join(folder, "bin/agno-chat.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [...options, file, ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

function pretendToBe(version: string): string {
  const versions = JSON.stringify({ ...process.versions, node: version });
  const code = `Object.defineProperty(process, "versions", { value: ${versions} })`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
