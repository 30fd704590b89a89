// Turns what an agent does into spans of OpenTelemetry: node examples/opentelemetry.mjs
import { tracingChannel } from "node:diagnostics_channel";
import { pathToFileURL } from "node:url";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  ConsoleSpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { Agent, DemoModel, openToolkits } from "agno-chat";

const tracer = trace.getTracer("agno-chat");

/** A span per run, with those of its model calls and tool calls below it. */
export function instrument() {
  const spans = new WeakMap();
  const under = ({ run }) =>
    run === undefined ? context.active() : trace.setSpan(context.active(), spans.get(run));

  const spanPer = (channel, { name, kind, attributes }) =>
    tracingChannel(channel).subscribe({
      start(event) {
        const options = { kind, attributes: attributes(event) };
        spans.set(event, tracer.startSpan(name(event), options, under(event)));
      },
      asyncEnd(event) {
        const span = spans.get(event);
        if (span === undefined) return; // it began before we listened
        span.setAttributes(endingOf(event));
        if (event.errorCode !== undefined || event.isError)
          span.setStatus({ code: SpanStatusCode.ERROR, message: event.errorCode });
        span.end();
      },
    });

  spanPer("agno-chat:run", {
    name: ({ agent }) => `invoke_agent ${agent}`,
    kind: SpanKind.INTERNAL,
    // A user id is personal data: leave it out unless your backend may know it.
    attributes: ({ runId, agent, model }) => ({
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": agent,
      "gen_ai.request.model": model,
      "agno_chat.run.id": runId,
    }),
  });
  spanPer("agno-chat:model-call", {
    name: ({ model }) => `chat ${model}`,
    kind: SpanKind.CLIENT,
    attributes: ({ model }) => ({
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": model,
    }),
  });
  spanPer("agno-chat:tool-call", {
    name: ({ tool = "unknown" }) => `execute_tool ${tool}`,
    kind: SpanKind.INTERNAL,
    attributes: ({ tool = "unknown" }) => ({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": tool,
    }),
  });
}

/** What is known at the end. OpenTelemetry leaves out attributes that are undefined. */
const endingOf = ({ errorCode, isError, finishReason, usage }) => ({
  "error.type": errorCode ?? (isError ? "tool_error" : undefined),
  "gen_ai.response.finish_reasons": finishReason && [finishReason],
  "gen_ai.usage.input_tokens": usage?.inputTokens,
  "gen_ai.usage.output_tokens": usage?.outputTokens,
});

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const exporter = new ConsoleSpanExporter();
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  instrument();
  const toolkits = await openToolkits("calculator");
  const agent = new Agent({ model: new DemoModel(), toolkits });
  await agent.run("What is 6 * 7?", { userId: "alice" });
}
