import { tracingChannel } from "node:diagnostics_channel";
import { createServer, type Server } from "node:http";
import type { ModelCallTrace, RunTrace, ToolCallTrace } from "../../agent/tracing.js";
import { AgnoChatError } from "../../errors.js";
import type { RequestRecord } from "../../server/request-log.js";
import { bind, type ChatServer } from "../../server/server.js";

/** Seconds. A model answers in tenths of seconds or in minutes. */
const BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/**
 * Counts what a server does and answers `GET /metrics` on an address of its own. Labels are routes,
 * models, tools and codes: never a user, a session or an address.
 */
export class Metrics {
  readonly #registry: Meters["registry"];
  readonly #meters: Meters;
  readonly #http: Server;
  readonly #stops: (() => void)[];

  private constructor(meters: Meters) {
    this.#meters = meters;
    this.#registry = meters.registry;
    this.#http = createServer((request, response) => {
      const isKnown = request.url === "/metrics" && request.method === "GET";
      if (!isKnown) {
        response.writeHead(404).end();
        return;
      }
      void this.#registry.metrics().then((text) => {
        response.writeHead(200, { "content-type": this.#registry.contentType }).end(text);
      });
    });
    this.#stops = [
      onEnd<RunTrace>("agno-chat:run", (trace) => this.#noteRun(trace)),
      onEnd<ModelCallTrace>("agno-chat:model-call", (trace) => this.#noteModelCall(trace)),
      onEnd<ToolCallTrace>("agno-chat:tool-call", (trace) => this.#noteToolCall(trace)),
    ];
  }

  /**
   * @param address Such as `127.0.0.1:9464` or `[::1]:9464`.
   * @throws {AgnoChatError} rejects with `USAGE` or `ADDRESS_IN_USE`
   */
  static async open(address: string): Promise<Metrics> {
    const { host, port } = hostAndPort(address);
    const metrics = new Metrics(await openMeters());
    try {
      await bind(metrics.#http, { host, port });
    } catch (thrown) {
      metrics.close();
      throw thrown;
    }
    return metrics;
  }

  /** Where Prometheus finds them. */
  get url(): string {
    const address = this.#http.address();
    if (address === null || typeof address === "string") return "nowhere";
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}/metrics`;
  }

  /** Reads how many requests a server is answering whenever it is asked. */
  watch(server: ChatServer): void {
    this.#meters.inFlight(() => server.inFlight);
  }

  note({ method, path, status, durationMs, code }: RequestRecord): void {
    const { requests, requestSeconds, refusals } = this.#meters;
    requests.inc({ method, route: path, status });
    requestSeconds.observe({ route: path }, durationMs / 1000);
    if (code !== undefined && REFUSED.has(status)) refusals.inc({ code });
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  #noteRun({ durationMs = 0, errorCode }: RunTrace): void {
    this.#meters.runs.inc({ outcome: errorCode ?? "ok" });
    this.#meters.runSeconds.observe(durationMs / 1000);
  }

  #noteModelCall({ model, durationMs = 0, errorCode, usage }: ModelCallTrace): void {
    const { modelCalls, modelSeconds, tokens } = this.#meters;
    modelCalls.inc({ model, outcome: errorCode ?? "ok" });
    modelSeconds.observe({ model }, durationMs / 1000);
    if (usage === undefined) return;
    tokens.inc({ model, direction: "input" }, usage.inputTokens);
    tokens.inc({ model, direction: "output" }, usage.outputTokens);
  }

  #noteToolCall({ tool = "unknown", isError, errorCode }: ToolCallTrace): void {
    this.#meters.toolCalls.inc({ tool, outcome: errorCode ?? (isError ? "error" : "ok") });
  }
}

/** Not let in, not allowed, or too many. */
const REFUSED: ReadonlySet<number> = new Set([401, 403, 429]);

type Meters = Awaited<ReturnType<typeof openMeters>>;

async function openMeters() {
  const { default: prometheus } = await import("prom-client");
  const { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } = prometheus;
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `agno_chat_${name}_total`, help, labelNames, registers });
  const seconds = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Histogram({
      ...{ name: `agno_chat_${name}_duration_seconds`, help, labelNames, registers },
      buckets: BUCKETS,
    });
  return {
    registry,
    requests: counter("requests", "Requests answered.", ["method", "route", "status"]),
    requestSeconds: seconds("request", "How long requests took.", ["route"]),
    refusals: counter("refusals", "Requests answered with 401, 403 or 429.", ["code"]),
    runs: counter("runs", "Runs, by ok or the error's code.", ["outcome"]),
    runSeconds: seconds("run", "How long runs took, with waiting for the run before.", []),
    modelCalls: counter("model_calls", "Calls of the model.", ["model", "outcome"]),
    modelSeconds: seconds("model_call", "How long the model took.", ["model"]),
    tokens: counter("tokens", "Tokens of the model.", ["model", "direction"]),
    toolCalls: counter("tool_calls", "Calls of tools.", ["tool", "outcome"]),
    inFlight: (count: () => number) =>
      new Gauge({
        name: "agno_chat_requests_in_flight",
        help: "Requests being answered.",
        registers,
        collect() {
          this.set(count());
        },
      }),
  };
}

/** Calls the listener with what ended on a tracing channel. Returns a function that stops it. */
function onEnd<Trace extends object>(name: string, asyncEnd: (trace: Trace) => void): () => void {
  const channel = tracingChannel<unknown, Trace>(name);
  const ignore = () => {};
  const subscribers = { start: ignore, end: ignore, asyncStart: ignore, error: ignore, asyncEnd };
  channel.subscribe(subscribers);
  return () => void channel.unsubscribe(subscribers);
}

function hostAndPort(address: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port < 65_536) return { host, port };
  throw new AgnoChatError("USAGE", `--metrics ${JSON.stringify(address)} is not an address.`, {
    hint: "Use a host and a port, such as 127.0.0.1:9464.",
  });
}
