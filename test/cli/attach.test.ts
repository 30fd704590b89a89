import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cli } from "../support/cli.js";
import { ModelServer, status, streamedText } from "../support/model-server.js";
import { PNG } from "../support/pictures.js";

let server: ModelServer;
let cli: Cli;

beforeEach(async () => {
  server = await ModelServer.start(streamedText("Seen."));
  cli = new Cli({ OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "local", AGNO_CHAT_USER: "alice" });
});

afterEach(() => server.close());

/** Writes a file and returns its path. */
function file(name: string, content: string | Uint8Array): string {
  const folder = join(cli.home, "files");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Runs the lines as piped input, which must succeed. */
async function type(...lines: readonly string[]) {
  const result = await cli.run([], { input: `${lines.join("\n")}\n` });
  expect(result).toMatchObject({ code: 0 });
  return result;
}

// biome-ignore lint/suspicious/noExplicitAny: what a server receives
const lastMessage = (): any => server.requests.at(-1)?.body.messages.at(-1);

const picture = {
  type: "image_url",
  image_url: { url: `data:image/png;base64,${Buffer.from(PNG).toString("base64")}` },
};

describe("ask -a", () => {
  it("sends files with the prompt, as many as are named", async () => {
    const [notes, photo] = [file("notes.txt", "Oslo in May"), file("photo", PNG)];
    const { code, stdout } = await cli.run(["ask", "-a", notes, "--attach", photo, "What is it?"]);
    expect([code, stdout]).toEqual([0, "Seen.\n"]);
    expect(lastMessage().content).toEqual([
      { type: "text", text: 'What is it?\n\nFile "notes.txt":\n```\nOslo in May\n```' },
      picture,
    ]);
  });

  it("keeps them: they are exported, copied and gone with their user", async () => {
    await cli.run(["ask", "-a", file("photo", PNG), "What is it?"]);
    const [message] = (await cli.json(["export"])).messages;
    expect(message.attachments).toMatchObject([
      { name: "photo", type: "image/png", content: Buffer.from(PNG).toString("base64") },
    ]);
    expect((await cli.json(["size"])).bytes).toBeGreaterThan(PNG.length);
    await cli.run(["clear", "-y"]);
    await cli.run(["ask", "Again"]);
    expect(lastMessage()).toEqual({ role: "user", content: "Again" });
  });

  it("shows in the context what the next message is sent with", async () => {
    await cli.run(["ask", "-a", file("notes", "Oslo"), "-a", file("photo", PNG), "Look"]);
    const { stdout } = await cli.run(["context"]);
    expect(stdout).toContain('[user] Look\n\nFile "notes":\n```\nOslo\n```\n→ photo (image/png');
    expect(await cli.json(["context"])).not.toHaveProperty("pictures");
  });

  it.each<[string, () => string, number, RegExp]>([
    ["is missing", () => join(cli.home, "none"), 2, /Cannot read the file ".*none": no such file/],
    ["is a folder", () => cli.home, 2, /is not a file that can be sent/],
    ["is stdin", () => "-", 2, /Cannot read the file "-"/],
    ["is neither text nor a picture", () => file("a", "\0"), 2, /"a" is neither text in UTF-8/],
    ["is UTF-16", () => file("a", Buffer.from("\ufeffhi", "utf16le")), 2, /UTF-16/],
    ["is too large", () => file("a", "x".repeat(25_000_001)), 2, /is too large to send/],
  ])("refuses what %s, before the model is asked", async (_, path, code, message) => {
    const result = await cli.run(["ask", "-a", path(), "Look"]);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(message);
    expect(server.requests).toEqual([]);
  });

  it("explains a model that takes no pictures", async () => {
    server.reply(status(400, { error: { message: "image_url is not supported" } }));
    const { code, stderr } = await cli.run(["ask", "-a", file("photo", PNG), "Look"]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/refused the pictures \(400\).*The model may not look at pictures/s);
    expect((await cli.run(["size"])).stdout).not.toContain("1 run");
  });
});

describe("/attach", () => {
  it("sends the files with the next message alone", async () => {
    const path = file("my photo.png", PNG);
    const { stderr } = await type(`/attach ${path}`, "Look", "Go on");
    expect(stderr).toContain(`my photo.png (image/png, ${PNG.length} bytes) goes with your next`);
    const [first, second] = server.requests.map(({ body }) => body.messages);
    expect(first[0].content).toEqual([{ type: "text", text: "Look" }, picture]);
    expect(second.at(-1)).toEqual({ role: "user", content: "Go on" });
  });

  it.each([
    ["in quotes", (path: string) => `'${path}'`],
    ["with backslashes", (path: string) => path.replaceAll(" ", "\\ ")],
  ])("takes a path as a terminal writes it when a file is dropped: %s", async (_, typed) => {
    await type(`/attach ${typed(file("my notes.txt", "Oslo"))}`, "Look");
    expect(lastMessage().content).toContain("Oslo");
  });

  it("lists the files that wait, and drops them", async () => {
    const path = file("notes.txt", "Oslo");
    const { stdout, stderr } = await type(
      ...["/attach", `/attach ${path}`, "/attach", "/attach clear", "/attach", "Hello"],
    );
    expect(stdout).toContain("notes.txt (text/plain, 4 bytes)\n");
    expect(stderr.match(/No file waits/g)).toHaveLength(2);
    expect(stderr).toContain("1 file dropped.");
    expect(lastMessage()).toEqual({ role: "user", content: "Hello" });
  });

  it("belongs to the user who typed it, whoever speaks next", async () => {
    const path = file("notes.txt", "of alice");
    await type(`/attach ${path}`, "/user bob", "/attach", "Hello", "/user alice", "Look");
    const sent = server.requests.map(({ body }) => body.messages.at(-1).content);
    expect(sent).toEqual(["Hello", expect.stringContaining("of alice")]);
  });

  it("goes with what is said as another user only if that user attached it", async () => {
    const path = file("notes.txt", "of alice");
    await type(`/attach ${path}`, "/as bob Hello", "Look");
    const sent = server.requests.map(({ body }) => body.messages.at(-1).content);
    expect(sent).toEqual(["Hello", expect.stringContaining("of alice")]);
  });

  it("is forgotten when the user clears everything", async () => {
    const lines = ["Hi", `/attach ${file("notes.txt", "Oslo")}`, "/clear", "Hello"];
    const { code } = await cli.run(["-y"], { input: lines.join("\n") });
    expect([code, lastMessage()]).toEqual([0, { role: "user", content: "Hello" }]);
  });

  it("takes no more than a message takes", async () => {
    const path = file("notes.txt", "Oslo");
    const { stderr } = await cli.run([], {
      input: `${`/attach ${path}\n`.repeat(11)}`,
    });
    expect(stderr).toContain("A message takes 10 files at most");
  });

  it("is sent again by /retry, after a failure and in place of an answer", async () => {
    const path = file("notes.txt", "Oslo in May");
    server.reply(status(501, "no"), streamedText("One."), streamedText("Two."));
    await type(`/attach ${path}`, "Look", "?fails MODEL_REJECTED", "/retry", "/retry");
    expect(server.requests).toHaveLength(3);
    for (const { body } of server.requests)
      expect(body.messages).toEqual([
        { role: "user", content: expect.stringContaining("Oslo in May") },
      ]);
  });

  it("is a line of a script, and of a recorded one", async () => {
    const recorded = join(cli.home, "recorded.chat");
    const lines = [`/record ${recorded}`, `/attach ${file("notes.txt", "Oslo")}`, "Look"];
    await type(...lines, "/record stop");
    const again = await cli.run(["run", recorded, "-s", "again"]);
    expect(again).toMatchObject({ code: 0 });
    const [first, second] = server.requests.map(({ body }) => body.messages);
    expect(second).toEqual(first);
    expect(first.at(-1).content).toContain("Oslo");
  });

  it("is named in the history", async () => {
    const { stdout } = await type(`/attach ${file("notes.txt", "Oslo")}`, "Look", "/history");
    expect(stdout).toContain("alice: Look → notes.txt (text/plain, 4 bytes)\n");
  });
});
