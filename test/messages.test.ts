import { describe, expect, it } from "vitest";
import {
  assistantMessage,
  plainMessage,
  systemMessage,
  toolMessage,
  userMessage,
} from "../src/messages.js";

const call = { id: "call-1", name: "add", arguments: "{}" };

describe("the constructors", () => {
  it("make a message of each role with only the keys that were given", () => {
    expect(userMessage("Hi")).toStrictEqual({ role: "user", content: "Hi" });
    expect(systemMessage("Be kind.")).toStrictEqual({ role: "system", content: "Be kind." });
    expect(assistantMessage("Hello")).toStrictEqual({ role: "assistant", content: "Hello" });
    expect(toolMessage("call-1", "3")).toStrictEqual({
      role: "tool",
      content: "3",
      toolCallId: "call-1",
    });
  });

  it("keep tool calls, but drop an empty list, which model APIs refuse", () => {
    expect(assistantMessage("", [call])).toStrictEqual({
      role: "assistant",
      content: "",
      toolCalls: [call],
    });
    expect("toolCalls" in assistantMessage("Hello", [])).toBe(false);
  });

  it("mark a tool result as an error only when it is one", () => {
    expect(toolMessage("call-1", "no", true)).toHaveProperty("isError", true);
    expect(toolMessage("call-1", "yes", false)).not.toHaveProperty("isError");
  });

  it("keep every character", () => {
    for (const text of ["", "\0", "\ud800", "\r\n", "👩‍👩‍👧"]) {
      expect(userMessage(text).content).toBe(text);
      expect(JSON.parse(JSON.stringify(userMessage(text)))).toEqual(userMessage(text));
    }
  });
});

describe("plainMessage", () => {
  const stored = {
    id: 1,
    runId: "run",
    sessionId: "default",
    createdAt: "2026-01-01T00:00:00.000Z",
  };

  it("drops what a memory added, for each role", () => {
    const messages = [
      userMessage("Hi"),
      systemMessage("Be kind."),
      { ...assistantMessage("", [call]), interrupted: true },
      assistantMessage("Hello"),
      toolMessage("call-1", "no", true),
      toolMessage("call-1", "yes"),
    ];
    for (const message of messages)
      expect(plainMessage({ ...message, ...stored, model: "m" } as never)).toStrictEqual(message);
  });
});
