import type { RunEvent } from "../../agent/events.js";
import type { UserInfo } from "../../memory/memory.js";
import type { Copied } from "../terminal/clipboard.js";

/** Whose turn it is: one user in one of their sessions. */
export interface Who {
  readonly userId: string;
  readonly sessionId: string;
}

/** Shows one reply while it comes. */
export interface ReplyView {
  show(event: RunEvent): void;
  /** Ends the row that was begun; `interrupted` says so. */
  end(outcome: "whole" | "interrupted" | "failed"): void;
}

/** A message of the past as plain text. Further lines are set in, so that none passes for the next message. */
export const recalled = (role: string, text: string): string =>
  `${role}: ${text.replaceAll("\n", "\n  ")}\n`;

/** The space for one answer that can be read without scrolling. */
export interface AnswerSpace {
  readonly columns: number;
  /** Infinity where the output is not a screen. */
  readonly rows: number;
}

/** Where a REPL shows what it does, and asks: a terminal, or the output of a script. */
export interface Screen {
  readonly space: AnswerSpace;
  /** What a command answers: any text, made safe here. */
  print(text: string): void;
  /** A message of the past behind its role; Markdown where that can be shown. Any text, made safe here. */
  recall(role: string, text: string): void;
  /** A remark, one line. */
  note(text: string): void;
  reply(who: Who): ReplyView;
  /** The active user changed. */
  show(who: Who): void;
  /** True for yes. A script has said what it wants already. */
  confirm(question: string): Promise<boolean>;
  /** The user picked, or the active one again; undefined where nobody can be asked. */
  pickUser(users: readonly UserInfo[], active: string): Promise<string | undefined>;
  /** @returns where it went. @throws {AgnoChatError} `USAGE` where there is nothing to copy with */
  copy(text: string, signal: AbortSignal): Promise<Copied>;
  /** Puts what this user writes in their editor at their prompt. @throws {AgnoChatError} `USAGE` where there is no terminal */
  edit(userId: string): Promise<void>;
  /** Forgets what this user has typed. */
  forgetInput(userId: string): void;
}
