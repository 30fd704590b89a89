import { beforeAll, describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import type { ExportFormat } from "../../src/data/export-options.js";
import { UserExport } from "../../src/data/user-export.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { assistantMessage } from "../../src/messages.js";
import { DemoModel } from "../../src/models/demo.js";
import { PNG } from "../support/pictures.js";

const memory = new InMemory();
const notes = { name: "notes.txt", content: "Oslo in May" };

async function exported(format: ExportFormat): Promise<string> {
  let all = "";
  for await (const text of new UserExport(memory, "alice", { format })) all += text;
  return all;
}

beforeAll(async () => {
  const agent = new Agent({ model: new DemoModel(), memory });
  await agent.run("Hello", { userId: "alice" });
  await agent.run("Look", { userId: "alice", attachments: [notes, { name: "<b>", content: PNG }] });
  await agent.run("Look", { userId: "bob", attachments: [{ name: "bob's", content: "secret" }] });
});

const base64 = (content: string | Uint8Array) => Buffer.from(content).toString("base64");

describe("an export of a user with files", () => {
  it.each(["json", "jsonl"] as const)("holds them in base64 as %s", async (format) => {
    const text = await exported(format);
    const messages =
      format === "json"
        ? JSON.parse(text).messages
        : text
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line));
    expect(messages).toMatchObject([
      { content: "Hello" },
      { role: "assistant" },
      {
        content: "Look",
        attachments: [
          { name: "notes.txt", type: "text/plain", content: base64("Oslo in May") },
          { name: "<b>", type: "image/png", bytes: PNG.length, content: base64(PNG) },
        ],
      },
      { role: "assistant" },
    ]);
    expect(messages.map(({ id }: { id: number }) => id)).toEqual([1, 2, 3, 4]);
    expect(text).not.toContain(base64("secret"));
  });

  it("names them in Markdown and HTML", async () => {
    expect(await exported("md")).toContain(
      `\n\nLook\n\n- with \`notes.txt\` (text/plain, 11 bytes)\n- with \`<b>\` (image/png, ${PNG.length} bytes)\n`,
    );
    const page = await exported("html");
    expect(page).toContain(
      '<p class="note">with <code>notes.txt</code> (text/plain, 11 bytes)</p>',
    );
    expect(page).toContain("<code>&#60;b&#62;</code>");
  });

  it("can be sent on to OpenAI with them", async () => {
    const messages = JSON.parse(await exported("openai"));
    expect(messages[0]).toEqual({ role: "user", content: "Hello" });
    expect(messages[2]).toEqual({
      role: "user",
      content: [
        { type: "text", text: 'Look\n\nFile "notes.txt":\n```\nOslo in May\n```' },
        { type: "image_url", image_url: { url: `data:image/png;base64,${base64(PNG)}` } },
      ],
    });
  });

  it("names a file whose content is gone without it", async () => {
    const lost = new InMemory();
    lost.add(memory.getMessages("alice").slice(2, 3), "alice", {
      contents: await memory.attachments?.read("alice", hashesOfAlice()),
    });
    lost.add(assistantMessage("ok"), "alice");
    Object.assign(lost, { attachments: undefined });
    let all = "";
    for await (const text of new UserExport(lost, "alice")) all += text;
    expect(JSON.parse(all).messages[0].attachments[0]).not.toHaveProperty("content");
  });
});

const hashesOfAlice = (): string[] =>
  memory
    .getMessages("alice")
    .flatMap((message) => (message.role === "user" ? (message.attachments ?? []) : []))
    .map(({ hash }) => hash);
