import { AgnoChatError } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";
import {
  type AssistantMessage,
  assistantMessage,
  type Message,
  type ToolCall,
  toolMessage,
} from "../messages.js";
import type { ToolSpec } from "../models/model.js";
import { type Finding, whoseOf } from "./finding.js";
import type { Report } from "./findings.js";
import type { Gate } from "./gate.js";
import { judgeMessages } from "./judge.js";
import type { Ledger, PlantedRun } from "./ledger.js";
import type { Saying } from "./model-events.js";
import { argumentsFor } from "./tool-arguments.js";

/** A request as a model gets it. */
export interface ReceivedRequest {
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSpec[] | undefined;
}

/** One request, as it is written to a record of the check. */
export interface RecordedRequest {
  readonly request: number;
  /** The run that asks, and its user and session; absent when nobody can tell. */
  readonly run?: number;
  readonly userId?: UserId;
  readonly sessionId?: SessionId;
  readonly messages: readonly Message[];
}

/** Finds what is wrong with the request of a run. */
export type JudgeRequest = (
  run: PlantedRun,
  messages: readonly Message[],
  request: number,
) => readonly Finding[];

export interface RecorderOptions {
  readonly ledger: Ledger;
  readonly gate: Gate;
  readonly report: Report;
  /** The system message of every request, when the messages must match exactly. */
  readonly instructions?: string;
  /** Whether requests must match exactly, and not only by their canaries. */
  readonly exact: boolean;
  /** Judges requests in place of the ledger's order of the runs. */
  readonly judge?: JudgeRequest | undefined;
  /** Keeps each request. */
  readonly record?: ((request: RecordedRequest) => void) | undefined;
}

/** What the model says to a request. `wait`: it says the first part and then no more. */
export type Answer =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tools"; readonly text?: string; readonly calls: readonly ToolCall[] }
  | { readonly kind: "wait"; readonly text: string }
  | { readonly kind: "fail"; readonly error: AgnoChatError };

/** The answer to a request that belongs to no run. */
const NOTHING: Answer = { kind: "text", text: "Nothing to remember." };

/** Receives the requests to a model, judges each, and decides the answers. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #inFlight = new Set<PlantedRun>();
  readonly #overlaps = new Set<string>();
  #requests = 0;
  /** Set while only the latest runs are sent. */
  recentOnly = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  get requests(): number {
    return this.#requests;
  }

  /** How many pairs of these users had runs at the model at the same time, and of how many. */
  pairsOf(users: readonly UserId[]): { readonly overlapped: number; readonly of: number } {
    const pairs = users.flatMap((one, index) =>
      users.slice(index + 1).map((other) => pairOf(one, other)),
    );
    return {
      overlapped: pairs.filter((pair) => this.#overlaps.has(pair)).length,
      of: pairs.length,
    };
  }

  /** Judges a request, waits at the gate, and returns the answer. */
  async receive(request: ReceivedRequest, signal: AbortSignal): Promise<Answer> {
    const run = await this.take(request, signal);
    return run === undefined ? NOTHING : this.#answer(run, request.tools ?? []);
  }

  /** Judges a request and waits at the gate. Undefined when nobody can tell whose it is. */
  async take(request: ReceivedRequest, signal: AbortSignal): Promise<PlantedRun | undefined> {
    const number = ++this.#requests;
    const messages = structuredClone(request.messages) as Message[];
    const run = this.#runOf(messages);
    const asker = run && { run: run.number, ...whoseOf(run) };
    this.#options.record?.({ request: number, ...asker, messages });
    if (run === undefined) return void this.#reportUnowned(number);
    this.#adoptResults(run, messages);
    const { judge, report } = this.#options;
    report(judge?.(run, messages, number) ?? this.#judge(run, messages, number));
    run.requests++;
    this.#enter(run);
    try {
      await this.#options.gate.pass(run, signal);
    } finally {
      this.#inFlight.delete(run);
    }
    return run;
  }

  /** Notes what another model answered to the run. */
  note(run: PlantedRun, { text, toolCalls, isCut }: Saying): void {
    const message: AssistantMessage = assistantMessage(text, toolCalls);
    if (toolCalls.length === 0)
      return this.#options.ledger.answer(run, {
        ...message,
        ...(isCut && { finishReason: "length" }),
      });
    run.messages.push(message);
    run.toolResults.clear();
  }

  /** The run that asks: by the newest canary of the last user message, else of the history. */
  #runOf(messages: readonly Message[]): PlantedRun | undefined {
    const { ledger } = this.#options;
    const last = messages.findLast(({ role }) => role === "user");
    const named = ledger.canaries
      .in(last?.content ?? "")
      .findLast(({ kind }) => kind === "message");
    if (named !== undefined) return named.owner;
    const latest = messages
      .filter(({ role }) => role !== "system")
      .flatMap(({ content }) => ledger.canaries.in(content))
      .at(-1);
    return latest && ledger.conversation(latest.owner).runs.find(isOpen);
  }

  #reportUnowned(number: number): void {
    const by = { userId: "?", sessionId: "?" };
    const text = "a request held no message of any user";
    this.#options.report([
      {
        ...{ check: "requests", kind: "unowned", by, door: "model" },
        where: "messages",
        request: number,
        text,
      },
    ]);
  }

  /** The results of the tools called before, in the order of the calls. */
  #adoptResults(run: PlantedRun, messages: readonly Message[]): void {
    const asked = run.messages.at(-1);
    if (asked?.role !== "assistant" || asked.toolCalls === undefined) return;
    for (const { id, name } of asked.toolCalls) {
      // A model may call one tool twice in one reply.
      const isOnly = asked.toolCalls.filter((call) => call.name === name).length === 1;
      const ours = isOnly ? run.toolResults.get(name) : undefined;
      const theirs = messages.findLast((one) => one.role === "tool" && one.toolCallId === id);
      const message = toolMessage(id, ours ?? theirs?.content ?? "", isError(theirs));
      run.messages.push(message);
    }
  }

  #judge(run: PlantedRun, messages: readonly Message[], request: number): Finding[] {
    const { ledger, exact, instructions } = this.#options;
    const runs = [...ledger.before(run), run];
    const check = run.sameWords ? "same-words" : this.recentOnly ? "limits" : "requests";
    const sighting = { check, by: whoseOf(run), door: run.door, request } as const;
    const expected = { runs, exact, instructions, recentOnly: this.recentOnly };
    return judgeMessages(messages, expected, sighting, ledger);
  }

  #enter(run: PlantedRun): void {
    for (const other of this.#inFlight)
      if (other.userId !== run.userId) this.#overlaps.add(pairOf(run.userId, other.userId));
    this.#inFlight.add(run);
  }

  #answer(run: PlantedRun, tools: readonly ToolSpec[]): Answer {
    const { ledger } = this.#options;
    if (run.plan === "fail") {
      run.answered = true;
      return { kind: "fail", error: new AgnoChatError("MODEL_UNAVAILABLE", "The model failed.") };
    }
    if (run.plan === "tools" && run.requests === 1) return this.#callTools(run, tools);
    const text = `Noted ${ledger.canaries.plant("reply", run)}.`;
    if (run.plan === "stop-midway") {
      ledger.answer(run, { role: "assistant", content: text, interrupted: true });
      return { kind: "wait", text };
    }
    ledger.answer(run, { role: "assistant", content: text });
    return { kind: "text", text };
  }

  /** Everybody calls every tool there is, and the probe with the same arguments. */
  #callTools(run: PlantedRun, tools: readonly ToolSpec[]): Answer {
    const { ledger } = this.#options;
    const place = ledger.conversation(run).runs.indexOf(run);
    const text = ledger.canaries.plant("tool-argument", run);
    const calls = tools.map(({ name, parameters }, index) => ({
      id: `call-${place}-${index}`,
      name,
      arguments: JSON.stringify(argumentsFor(parameters, text)),
    }));
    const message: AssistantMessage = { role: "assistant", content: "", toolCalls: calls };
    run.messages.push(message);
    run.toolResults.clear();
    return { kind: "tools", calls };
  }
}

const isError = (message: Message | undefined): boolean =>
  message?.role === "tool" && message.isError === true;

const isOpen = ({ answered, outcome }: PlantedRun): boolean => !answered && outcome !== "uncertain";

const pairOf = (one: string, other: string): string => JSON.stringify([one, other].sort());
