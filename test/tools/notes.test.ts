import { describe, expect, it } from "vitest";
import type { SessionState } from "../../src/memory/memory.js";
import { callTool, toolTable } from "../../src/tools/call-tool.js";
import { NOTES_KEY, notes } from "../../src/tools/notes.js";
import { toolContext } from "../support/tool-context.js";

const table = toolTable([notes()]);

function notebook(state: SessionState = {}) {
  const context = toolContext({ state });
  return async (name: string, args: object) => {
    const call = { id: "1", name, arguments: JSON.stringify(args) };
    const { content, isError } = await callTool(table, call, context);
    return isError ? content : JSON.parse(content);
  };
}

describe("notes", () => {
  it("remembers, recalls and forgets by text, in any case", async () => {
    const use = notebook();
    await use("remember", { text: "The meeting is at 5" });
    await use("remember", { text: "Buy milk" });
    expect(await use("recall", {})).toEqual({ notes: ["The meeting is at 5", "Buy milk"] });
    expect(await use("recall", { text: "MILK" })).toEqual({ notes: ["Buy milk"] });
    expect(await use("forget", { text: "Meeting" })).toEqual({
      forgotten: ["The meeting is at 5"],
    });
    expect(await use("forget", { text: "Meeting" })).toEqual({ forgotten: [] });
    expect(await use("recall", {})).toEqual({ notes: ["Buy milk"] });
  });

  it("keeps the same note once", async () => {
    const use = notebook();
    await use("remember", { text: "Buy milk" });
    await use("remember", { text: "Buy milk" });
    expect(await use("recall", {})).toEqual({ notes: ["Buy milk"] });
  });

  it("never shows one session the notes of another", async () => {
    const [alice, bob] = [notebook(), notebook()];
    await alice("remember", { text: "secret" });
    expect(await bob("recall", {})).toEqual({ notes: [] });
    expect(await bob("forget", { text: "secret" })).toEqual({ forgotten: [] });
    expect(await alice("recall", {})).toEqual({ notes: ["secret"] });
  });

  it("adds to what is stored, and never changes it in place", async () => {
    const before = Object.freeze(["Buy milk"]);
    const use = notebook({ [NOTES_KEY]: before });
    await use("remember", { text: "Call Al" });
    expect(await use("recall", {})).toEqual({ notes: ["Buy milk", "Call Al"] });
    expect(before).toEqual(["Buy milk"]);
  });

  it("skips values that are not notes", async () => {
    expect(await notebook({ [NOTES_KEY]: { no: "list" } })("recall", {})).toEqual({ notes: [] });
  });

  it("refuses more than a thousand notes, and an empty one", async () => {
    const full = Array.from({ length: 1_000 }, (_, n) => `note ${n}`);
    const use = notebook({ [NOTES_KEY]: full });
    expect(await use("remember", { text: "one more" })).toMatch(/1000 notes already/);
    expect(await use("remember", { text: "" })).toMatch(/^The arguments do not fit: text:/);
  });
});
