import { Agent } from "../../agent/agent.js";
import type { RunEvent } from "../../agent/events.js";
import type { UserView } from "../../agent/user-view.js";
import type { NewAttachment } from "../../attachments.js";
import { type AgnoChatError, asAgnoChatError } from "../../errors.js";
import {
  DEFAULT_SESSION_ID,
  type SessionId,
  type UserId,
  validateSessionId,
  validateUserId,
} from "../../ids.js";
import type { Limits, Memory } from "../../memory/memory.js";
import type { Model } from "../../models/model.js";
import type { Toolkit } from "../../tools/tool.js";
import type { Prices } from "../prices.js";
import { signalWithin } from "../time-limit.js";
import { LimitRemarks } from "./limit-remarks.js";
import type { ChatScreen, Speaker } from "./screen.js";
import { UnansweredMessages } from "./unanswered.js";
import { WaitingFiles } from "./waiting-files.js";

/** The parts of a REPL's agent. Changing one creates a new agent on the same memory. */
export interface ReplParts {
  readonly model: Model;
  readonly memory: Memory;
  readonly toolkits: readonly Toolkit[];
  readonly historyLimit: number;
  readonly historyTokens: number;
  /** See `AgentOptions.lease`. */
  readonly lease?: boolean;
  /** See `AgentOptions.limits`. */
  readonly limits?: Limits;
  readonly instructions?: string | undefined;
  /** The time limit of a reply, in seconds. */
  readonly timeout?: number | undefined;
}

export interface ReplOptions {
  readonly parts: ReplParts;
  readonly screen: ChatScreen;
  readonly start: Speaker;
  /** Opens a model by the name that the user typed. */
  readonly openModel: (name: string) => Promise<Model>;
  /** What models cost; read anew each time. */
  readonly prices: () => Promise<Prices | undefined>;
}

/**
 * One agent and its speakers. Remembers the active user, the last session and the waiting files of
 * each user, and the unanswered message of each user and session. All other data of a user is in
 * the memory.
 */
export class Repl {
  readonly screen: ChatScreen;
  readonly openModel: (name: string) => Promise<Model>;
  readonly prices: () => Promise<Prices | undefined>;
  readonly unanswered = new UnansweredMessages();
  readonly files = new WaitingFiles();
  isOver = false;
  /** Writes what is said as a script; see `/record`. */
  recording: Recorder | undefined;
  readonly #limitRemarks = new LimitRemarks();
  #parts: ReplParts;
  #agent: Agent;
  #activeUser: UserId;
  readonly #sessions = new Map<UserId, SessionId>();

  constructor({ parts, screen, start, openModel, prices }: ReplOptions) {
    this.prices = prices;
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

  get memory(): Memory {
    return this.#parts.memory;
  }

  /** The active user, in the session they were last in. */
  get active(): Speaker {
    return this.speakerOf(this.#activeUser);
  }

  /** This user, in the session they were last in. */
  speakerOf(userId: UserId): Speaker {
    return { userId, sessionId: this.#sessions.get(userId) ?? DEFAULT_SESSION_ID };
  }

  viewOf({ userId }: Speaker): UserView {
    return this.#agent.forUser(userId);
  }

  /** @throws {AgnoChatError} `INVALID_USER_ID` */
  switchUser(userId: string): void {
    this.#activeUser = validateUserId(userId);
    this.screen.showActive(this.active);
  }

  /** @throws {AgnoChatError} `INVALID_SESSION_ID` */
  switchSession({ userId }: Speaker, sessionId: string): void {
    this.#sessions.set(userId, validateSessionId(sessionId));
    if (userId === this.#activeUser) this.screen.showActive(this.active);
  }

  /** Takes effect with the next message. */
  change(changes: Partial<ReplParts>): void {
    this.#parts = { ...this.#parts, ...changes };
    this.#agent = agentOf(this.#parts);
  }

  /**
   * Sends one message and shows the reply. A message without a whole answer is kept for `/retry` by
   * the same user in the same session.
   */
  async say(text: string, options: SayOptions): Promise<void> {
    const { speaker, replaceRun } = options;
    const attachments = options.attachments ?? this.files.take(speaker.userId);
    const message = { speaker, text, isRetry: replaceRun !== undefined };
    const take = this.recording && (await this.recording.take(this, message));
    let runId: string | undefined;
    try {
      await this.#converse(text, { ...options, attachments }, (event) => {
        if (event.type === "run-start") runId = event.runId;
        if (event.type === "text-delta") take?.hear(event.text);
      });
      this.unanswered.forget(speaker);
      take?.end();
    } catch (thrown) {
      this.unanswered.keep(speaker, { text, runId, replaceRun, attachments });
      take?.fail(asAgnoChatError(thrown));
      throw thrown;
    }
    const remark = await this.#limitRemarks.next(this.#parts, speaker);
    if (remark !== undefined) this.screen.note(remark);
  }

  async #converse(
    text: string,
    { speaker, signal, replaceRun, attachments }: SayOptions,
    onEvent: (event: RunEvent) => void,
  ): Promise<void> {
    const limit = signalWithin(signal, this.#parts.timeout);
    const view = this.screen.reply(speaker);
    try {
      for await (const event of this.#agent.stream(text, {
        ...speaker,
        replaceRun,
        attachments,
        signal: limit.signal,
      })) {
        onEvent(event);
        view.show(event);
      }
      view.end("whole");
    } catch (thrown) {
      view.end(signal.aborted ? "interrupted" : "failed");
      throw thrown;
    } finally {
      limit.end();
    }
  }
}

export interface TakenMessage {
  readonly speaker: Speaker;
  readonly text: string;
  readonly isRetry: boolean;
}

export interface TakenCommand {
  readonly name: string;
  readonly argument: string;
  readonly speaker: Speaker;
}

/** One message while it is answered. */
export interface Take {
  /** Adds a part of the reply. */
  readonly hear: (text: string) => void;
  readonly end: () => void;
  readonly fail: (error: AgnoChatError) => void;
}

/** Writes a chat down while it goes on. */
export interface Recorder {
  readonly path: string;
  /** How many messages and commands it has. */
  readonly inputs: number;
  /** Begins to listen to one message and its reply. */
  take(repl: Repl, message: TakenMessage): Promise<Take>;
  /** Writes a command that has ended. */
  did(repl: Repl, command: TakenCommand): Promise<void>;
  /** Writes a command that has failed. */
  failed(command: TakenCommand, error: AgnoChatError): void;
  end(): void;
}

export interface SayOptions {
  readonly speaker: Speaker;
  readonly signal: AbortSignal;
  /** The id of the run that this one replaces once it has an answer. */
  readonly replaceRun?: string | undefined;
  /** Default: the files that wait for the speaker's next message. */
  readonly attachments?: readonly NewAttachment[] | undefined;
}

const agentOf = ({ instructions, timeout: _, ...parts }: ReplParts): Agent =>
  new Agent(instructions === undefined ? parts : { ...parts, instructions });
