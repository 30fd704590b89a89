import { Agent } from "../../agent/agent.js";
import type { UserView } from "../../agent/user-view.js";
import { DEFAULT_SESSION_ID, validateSessionId, validateUserId } from "../../ids.js";
import type { Memory } from "../../memory/memory.js";
import type { Model } from "../../models/model.js";
import type { Toolkit } from "../../tools/tool.js";
import { signalWithin } from "../time-limit.js";
import type { Screen, Who } from "./screen.js";
import { UnansweredMessages } from "./unanswered.js";

/** What the agent of a REPL is made of. Changing a part makes a new agent on the same memory. */
export interface ReplParts {
  readonly model: Model;
  readonly memory: Memory;
  readonly toolkits: readonly Toolkit[];
  readonly historyLimit: number;
  readonly instructions?: string | undefined;
  /** Seconds a reply may take. */
  readonly timeout?: number | undefined;
}

export interface ReplOptions {
  readonly parts: ReplParts;
  readonly screen: Screen;
  readonly start: Who;
  /** Finds a model by the name the user gave. */
  readonly openModel: (name: string) => Promise<Model>;
}

/**
 * One agent and whoever talks to it. It remembers who is active, in which session each user was last, and what of a user and
 * session got no answer; everything else of a user is in the memory.
 */
export class Repl {
  readonly screen: Screen;
  readonly openModel: (name: string) => Promise<Model>;
  readonly unanswered = new UnansweredMessages();
  isOver = false;
  #parts: ReplParts;
  #agent: Agent;
  #activeUser: string;
  readonly #sessions = new Map<string, string>();

  constructor({ parts, screen, start, openModel }: ReplOptions) {
    this.screen = screen;
    this.openModel = openModel;
    this.#parts = parts;
    this.#agent = agentOf(parts);
    this.#activeUser = start.userId;
    this.#sessions.set(start.userId, start.sessionId);
  }

  get parts(): ReplParts {
    return this.#parts;
  }

  get agent(): Agent {
    return this.#agent;
  }

  get memory(): Memory {
    return this.#parts.memory;
  }

  /** Who is talking now. */
  get active(): Who {
    return this.whoIs(this.#activeUser);
  }

  /** This user, in the session they were last in. */
  whoIs(userId: string): Who {
    return { userId, sessionId: this.#sessions.get(userId) ?? DEFAULT_SESSION_ID };
  }

  viewOf({ userId }: Who): UserView {
    return this.#agent.forUser(userId);
  }

  /** @throws {AgnoChatError} `INVALID_USER_ID` */
  switchUser(userId: string): void {
    this.#activeUser = validateUserId(userId);
    this.screen.show(this.active);
  }

  /** @throws {AgnoChatError} `INVALID_SESSION_ID` */
  switchSession({ userId }: Who, sessionId: string): void {
    this.#sessions.set(userId, validateSessionId(sessionId));
    if (userId === this.#activeUser) this.screen.show(this.active);
  }

  /** From the next message on. */
  change(changes: Partial<ReplParts>): void {
    this.#parts = { ...this.#parts, ...changes };
    this.#agent = agentOf(this.#parts);
  }

  /** Sends one message and shows the reply. What gets no whole answer is kept for `/retry` of the same user and session. */
  async say(text: string, options: SayOptions): Promise<void> {
    const { who, replaceRun } = options;
    let runId: string | undefined;
    try {
      await this.#converse(text, options, (id) => {
        runId = id;
      });
      this.unanswered.forget(who);
    } catch (thrown) {
      this.unanswered.keep(who, { text, runId, replaceRun });
      throw thrown;
    }
  }

  async #converse(
    text: string,
    { who, signal, replaceRun }: SayOptions,
    onStart: (runId: string) => void,
  ): Promise<void> {
    const limit = signalWithin(signal, this.#parts.timeout);
    const view = this.screen.reply(who);
    try {
      for await (const event of this.#agent.stream(text, {
        ...who,
        replaceRun,
        signal: limit.signal,
      })) {
        if (event.type === "run-start") onStart(event.runId);
        view.show(event);
      }
      view.end("whole");
    } catch (thrown) {
      view.end(signal.aborted ? "interrupted" : "failed");
      throw thrown;
    } finally {
      limit.clear();
    }
  }
}

export interface SayOptions {
  readonly who: Who;
  readonly signal: AbortSignal;
  /** The run whose place this one takes when it has an answer. */
  readonly replaceRun?: string | undefined;
}

const agentOf = ({ instructions, timeout: _, ...parts }: ReplParts): Agent =>
  new Agent(instructions === undefined ? parts : { ...parts, instructions });
