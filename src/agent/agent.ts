import { AgnoChatError } from "../errors.js";
import { frozen } from "../frozen.js";
import { type UserId, validateUserId } from "../ids.js";
import { isPlainObject } from "../json.js";
import { sessionIdOf } from "../memory/arguments.js";
import { noLeases, noLimits } from "../memory/failures.js";
import { InMemory } from "../memory/in-memory.js";
import type { DeletedUsers, Limits, Memory, SessionOptions } from "../memory/memory.js";
import { checkedLimits } from "../memory/user-limits.js";
import type { Contents, Message } from "../messages.js";
import type { Model, ToolSpec } from "../models/model.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { type ToolTable, toolTable } from "../tools/call-tool.js";
import type { Toolkit } from "../tools/tool.js";
import type { RunOutput } from "./events.js";
import type { NextRequest } from "./next-request.js";
import type { OnBusy } from "./queue.js";
import { RunStream } from "./run-stream.js";
import { RUN_KEYS, Runner, type UserRunOptions } from "./runner.js";
import { ToolScope } from "./tool-scope.js";
import { UserView } from "./user-view.js";

export interface AgentOptions<Owner extends string | undefined = string | undefined> {
  /** Default: `agno-chat`. */
  readonly name?: string;
  readonly model: Model;
  /** Default: a new `InMemory`. */
  readonly memory?: Memory;
  /** The system prompt, the same for every user. */
  readonly instructions?: string;
  readonly toolkits?: readonly Toolkit[];
  /** The most model calls in one run. Default: 10. */
  readonly maxLoops?: number;
  /** The user of calls that name none. By default such calls are refused. */
  readonly userId?: Owner;
  /** The most history messages that the model is sent. Default: all. */
  readonly historyLimit?: number;
  /**
   * The most tokens of history that the model is sent, as whole runs; the instructions, the tools
   * and the current run come on top. Counted by the provider where it told, else estimated. With
   * `historyLimit`, both hold. Default: all.
   */
  readonly historyTokens?: number;
  /** What to do when the session already has a run under way. Default: `queue`. */
  readonly onBusy?: OnBusy;
  /**
   * Also wait for runs of the same session in other processes, if they do the same, so that each
   * run sees the messages of the one before it. `onBusy: "cancel"` waits for those, too. Needs a
   * memory with `leases`, such as `PostgresMemory`. Default: false.
   */
  readonly lease?: boolean;
  /**
   * What each user may use who has no limits of their own in the memory: `memory.limits.set`. With
   * `{}` only those do. A run of a user who has used up a limit is refused before the model is
   * called, with `BUDGET`, `RATE_LIMITED` or `BUSY`. Also counts the tokens of every run. A
   * function is asked with every run. Default: nothing is limited or counted.
   */
  readonly limits?: Limits | (() => Limits);
}

const AGENT_KEYS: KnownKeys<AgentOptions> = {
  name: true,
  model: true,
  memory: true,
  instructions: true,
  toolkits: true,
  maxLoops: true,
  userId: true,
  historyLimit: true,
  historyTokens: true,
  onBusy: true,
  lease: true,
  limits: true,
};

export interface RunOptions extends UserRunOptions {
  /** The user whose run it is. */
  readonly userId: string;
}

export interface ViewOptions {
  /** More instructions for the runs of the view, after the agent's own. Stored nowhere. */
  readonly instructions?: string | undefined;
}

const VIEW_KEYS: KnownKeys<ViewOptions> = { instructions: true };

export interface DetachedOptions extends ViewOptions {
  /** The contents of all attachments that the messages name, by hash. */
  readonly contents?: Contents | undefined;
}

const DETACHED_KEYS: KnownKeys<DetachedOptions> = { ...VIEW_KEYS, contents: true };

const CALL_KEYS: KnownKeys<RunOptions> = { userId: true, ...RUN_KEYS };
const CONTEXT_KEYS: KnownKeys<ContextOptions> = { userId: true, sessionId: true };

/** Options of a call: they must name a user, unless the agent has its own. */
type CallArguments<Owner, Options extends { readonly userId: string }> = [Owner] extends [string]
  ? [options?: Omit<Options, "userId"> & Partial<Pick<Options, "userId">>]
  : [options: Options];

/**
 * One agent for any number of users. The user is an argument of each run, and the agent itself
 * keeps no user's data. Runs of the same session execute in the order of the calls; runs of
 * different users or sessions overlap.
 * @example
 * const agent = new Agent({ model: new DemoModel(), instructions: "Be brief." });
 * await agent.run("My name is Alice", { userId: "alice" });
 * await agent.run("My name is Bob", { userId: "bob" });
 * const { content } = await agent.run("What's my name?", { userId: "alice" });
 * console.log(content); // Your name is Alice.
 */
export class Agent<Owner extends string | undefined = undefined> {
  readonly name: string;
  readonly #runner: Runner;
  readonly #owner: UserId | undefined;

  /** @throws {AgnoChatError} `USAGE` for an invalid option, `INVALID_USER_ID` */
  constructor(options: AgentOptions<Owner>) {
    refuseUnknownKeys<AgentOptions>(options, AGENT_KEYS, "Agent");
    const { name = "agno-chat", model, memory = new InMemory(), instructions } = options;
    const { toolkits = [], maxLoops = 10, onBusy = "queue" } = options;
    const { historyLimit = Infinity, historyTokens = Infinity } = options;
    const leases = options.lease ? memory.leases : undefined;
    if (options.lease && leases === undefined) throw noLeases();
    if (typeof model?.stream !== "function") throw usage("An agent needs a model.");
    if (!Number.isInteger(maxLoops) || maxLoops < 1)
      throw usage(`maxLoops must be 1 or more, not ${maxLoops}.`);
    if (!isCount(historyLimit)) throw usage(`historyLimit must be 0 or more, not ${historyLimit}.`);
    if (!isCount(historyTokens))
      throw usage(`historyTokens must be 0 or more, not ${historyTokens}.`);
    const limits = options.limits && limitsNow(options.limits);
    if (limits !== undefined && memory.limits === undefined) throw noLimits();
    const tools = toolTable(toolkits);
    const toolSpecs = specsOf(tools);
    this.name = name;
    this.#owner = options.userId === undefined ? undefined : validateUserId(options.userId);
    const toolScope = new ToolScope();
    this.#runner = new Runner(
      {
        agentName: name,
        ...{ model, memory, instructions, tools, toolSpecs, toolScope, maxLoops },
        ...{ historyLimit, historyTokens },
        leaseSource: leases && { leases, onBusy },
        limitSource: limits && memory.limits && { limits, counts: memory.limits },
      },
      { onBusy },
    );
  }

  /**
   * The agent as one user sees it.
   * @throws {AgnoChatError} `INVALID_USER_ID`
   */
  forUser(userId: string, options: ViewOptions = {}): UserView {
    refuseUnknownKeys(options, VIEW_KEYS, "forUser");
    return new UserView(this.#runner.instructed(options.instructions), validateUserId(userId));
  }

  /**
   * The agent in a conversation that is kept nowhere: it begins with these messages, which are the
   * whole history of its runs, and ends with the view. The memory is neither read nor written, and
   * tools with `needsMemory` are left out. The others are told the user.
   * @example
   * const agent = new Agent({ model: new DemoModel() });
   * const history = [userMessage("My name is Alice"), assistantMessage("Hello, Alice!")];
   * const { content } = await agent.detached("alice", history).run("What's my name?");
   * console.log(content); // Your name is Alice.
   * console.log(await agent.forUser("alice").size()); // 0
   * @throws {AgnoChatError} `INVALID_USER_ID`, `INVALID_MESSAGE`
   */
  detached(userId: string, messages: readonly Message[], options: DetachedOptions = {}): UserView {
    refuseUnknownKeys(options, DETACHED_KEYS, "detached");
    const user = validateUserId(userId);
    const runner = this.#runner.detached(user, messages, options.contents);
    return new UserView(runner.instructed(options.instructions), user);
  }

  /** `UserView.run` for the named user. */
  run(input: string, ...call: CallArguments<Owner, RunOptions>): Promise<RunOutput> {
    try {
      const options = call[0] ?? NO_OPTIONS;
      return this.#runner.run(this.#userOf(options, CALL_KEYS), input, options);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /** `UserView.stream` for the named user. Never throws: the iterator does. */
  stream(input: string, ...call: CallArguments<Owner, RunOptions>): RunStream {
    try {
      const options = call[0] ?? NO_OPTIONS;
      return this.#runner.stream(this.#userOf(options, CALL_KEYS), input, options);
    } catch (thrown) {
      return RunStream.failed(thrown);
    }
  }

  /** `UserView.context` for the named user. */
  async context(...call: CallArguments<Owner, ContextOptions>): Promise<NextRequest> {
    const options = call[0] ?? NO_OPTIONS;
    return this.#runner.context(this.#userOf(options, CONTEXT_KEYS), sessionIdOf(options));
  }

  /**
   * As `memory.removeInactive`: deletes all data of users idle for longer than `maxAge`
   * milliseconds. Spares users with a run under way or waiting.
   * @throws {AgnoChatError} rejects with `TOO_MANY_INACTIVE` for more than half of all users unless
   *   `force` is set
   */
  async removeInactive(maxAge: number, options: { force?: boolean } = {}): Promise<DeletedUsers> {
    refuseUnknownKeys(options, { force: true }, "removeInactive");
    const { parts } = this.#runner;
    const except = this.#runner.activeUsers();
    return parts.memory.removeInactive(maxAge, { ...options, except });
  }

  /** The user that a call names. */
  #userOf<Options extends { readonly userId?: string | undefined }>(
    options: Options,
    known: KnownKeys<Options>,
  ): UserId {
    refuseUnknownKeys(options, known, "A run");
    // Else an inherited `userId` would be overlooked.
    if (!isPlainObject(options)) throw usage("The options of a run must be a plain object.");
    if (Object.hasOwn(options, "userId")) return validateUserId(options.userId);
    if (this.#owner === undefined) throw noUser();
    return this.#owner;
  }
}

const NO_OPTIONS: { readonly userId?: string; readonly sessionId?: string } = {};

interface ContextOptions extends SessionOptions {
  readonly userId: string;
}

function limitsNow(limits: Limits | (() => Limits)): () => Limits {
  if (typeof limits === "function") return limits;
  const checked = checkedLimits(limits);
  return () => checked;
}

/** The tools as the model is sent them, frozen because all users share them. */
function specsOf(tools: ToolTable): readonly ToolSpec[] | undefined {
  if (tools.size === 0) return undefined;
  const specs = [...tools.values()].map(({ name, description, parameters }) => ({
    name,
    description,
    parameters: structuredClone(parameters),
  }));
  return frozen(specs);
}

const isCount = (value: number): boolean =>
  value === Infinity || (Number.isInteger(value) && value >= 0);

const usage = (message: string): AgnoChatError => new AgnoChatError("USAGE", message);

const noUser = (): AgnoChatError =>
  new AgnoChatError("INVALID_USER_ID", "This call names no user.", {
    hint: 'Name one in every call: { userId: "alice" }.',
  });
