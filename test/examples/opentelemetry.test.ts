import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { expect, test } from "vitest";
import { instrument } from "../../examples/opentelemetry.mjs";
import { Agent } from "../../src/agent/agent.js";
import { AgnoChatError } from "../../src/errors.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { toolkitOf, toolOf } from "../agent/support.js";

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
instrument();

const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId;

test("the example makes a span of each run, model call and tool call, below their run's", async () => {
  const model = new ScriptedModel(({ messages }) =>
    messages.at(-1)?.role === "tool" ? "Found." : { toolCalls: [{ name: "look" }] },
  );
  const agent = new Agent({ model, toolkits: [toolkitOf(toolOf("look", () => "a shell"))] });
  await Promise.all(["alice", "bob"].map((userId) => agent.run("Look", { userId })));
  const spans = exporter.getFinishedSpans();
  const roots = spans.filter(({ parentSpanContext }) => parentSpanContext === undefined);
  expect(roots.map(({ name }) => name)).toEqual(Array(2).fill("invoke_agent agno-chat"));
  for (const root of roots) {
    const below = spans.filter((span) => span.parentSpanContext?.spanId === idOf(root));
    expect(below.map(({ name }) => name)).toEqual([
      "chat scripted",
      "execute_tool look",
      "chat scripted",
    ]);
  }
  const attributes = JSON.stringify(spans.map((span) => span.attributes));
  expect(attributes).not.toMatch(/alice|bob|Look|Found|shell/);
});

test("the example marks the span of a failed run with the error's code", async () => {
  exporter.reset();
  const model = new ScriptedModel([new AgnoChatError("MODEL_AUTH", "The key was refused.")]);
  await expect(new Agent({ model }).run("Hi", { userId: "alice" })).rejects.toThrow();
  for (const { status, attributes } of exporter.getFinishedSpans()) {
    expect(status).toEqual({ code: 2, message: "MODEL_AUTH" });
    expect(attributes).toMatchObject({ "error.type": "MODEL_AUTH" });
  }
  expect(exporter.getFinishedSpans()).toHaveLength(2);
});
