import type { RunEvent } from "../../agent/events.js";
import type { SessionId, UserId } from "../../ids.js";
import type { ExcerptPart, UserInfo } from "../../memory/memory.js";
import type { Copied } from "../terminal/clipboard.js";

/** One user in one of their sessions. */
export interface Speaker {
  readonly userId: UserId;
  readonly sessionId: SessionId;
}

/** Shows one reply while it streams. */
export interface ReplyView {
  show(event: RunEvent): void;
  /** Ends an unfinished row. `interrupted` is shown as a remark. */
  end(outcome: "whole" | "interrupted" | "failed"): void;
}

/** An earlier message as plain text. Further lines are indented, so none looks like a message. */
export const recalled = (role: string, text: string): string =>
  `${role}: ${text.replaceAll("\n", "\n  ")}\n`;

/** An excerpt as plain text. */
export const excerpted = (role: string, parts: readonly ExcerptPart[]): string =>
  `  ${role}: ${parts.map(({ text }) => text).join("")}\n`;

/** The space for one answer that can be read without scrolling. */
export interface AnswerSpace {
  readonly columns: number;
  /** Infinity where the output is not a screen. */
  readonly rows: number;
}

/** Shows output and asks questions: on a terminal, or in the output of a script. */
export interface ChatScreen {
  readonly space: AnswerSpace;
  /** What can be typed here besides commands, for `/help`. */
  readonly hints: readonly string[];
  /** The commands that cannot work here: `/help` leaves them out. */
  readonly lacks: readonly string[];
  /**
   * Prints the output of a command: stdout when it is not a terminal. Any text; made safe for a
   * terminal.
   */
  print(text: string): void;
  /** Prints an earlier message after its role, as Markdown if possible. Any text; made safe. */
  recall(role: string, text: string): void;
  /** Prints a part of an earlier message, safe already, with what matches marked if possible. */
  excerpt(role: string, parts: readonly ExcerptPart[]): void;
  /** Prints a remark of one line about a command: stderr when it is not a terminal. */
  note(text: string): void;
  reply(speaker: Speaker): ReplyView;
  /** Shows that the active user or session has changed. */
  showActive(speaker: Speaker): void;
  /** Asks for a yes. A script confirms with `--yes`. */
  confirm(question: string): Promise<boolean>;
  /** Asks for a user: the picked or the active one; undefined if there is no one to ask. */
  pickUser(users: readonly UserInfo[], active: string): Promise<string | undefined>;
  /**
   * @returns where the text was copied to
   * @throws {AgnoChatError} `USAGE` if nothing here can copy
   */
  copy(text: string, signal: AbortSignal): Promise<Copied>;
  /**
   * Opens the user's external editor and puts the saved text at their prompt.
   * @throws {AgnoChatError} `USAGE` without a terminal that can do more than print
   */
  edit(userId: UserId): Promise<void>;
  /** Deletes the input history of this user. */
  forgetInput(userId: UserId): void;
}
