import type { SessionId, UserId } from "../../ids.js";
import type { Awaitable, SessionState } from "../../memory/memory.js";
import type { Message, StoredMessage } from "../../messages.js";
import type { Whose } from "../finding.js";

/** A message on its way in. */
export interface Outgoing extends Whose {
  readonly text: string;
  /**
   * Takes what came back beside the reply: headers, other fields, events, what a failure says. A
   * text of another user is a leak anywhere.
   */
  readonly onAnswer?: (text: string) => void;
}

/** A way in: it sends one message of one user and session, and returns the reply. */
export interface Door {
  /** As a report names it: `agent.run`, `POST /chat`. */
  readonly name: string;
  /**
   * How many messages may be under way at once, through all doors with such a limit together; those
   * of one session may overtake each other. Default: any number, in their order.
   */
  readonly atOnce?: number;
  send(message: Outgoing, signal: AbortSignal): Promise<string>;
}

/** What a reader returned; only the fields it has are checked. */
export interface Reading {
  /** The messages of the session, oldest first. */
  readonly messages?: readonly Message[];
  /** The messages of all sessions of the user. */
  readonly allMessages?: readonly StoredMessage[];
  /** A document of any format that holds the session's texts in order. */
  readonly document?: string;
  /** What a search for the first word of every planted message found in the session. */
  readonly found?: string;
  /** How many messages the session has. */
  readonly count?: number;
  readonly state?: SessionState;
  /** The names of all sessions of the user. */
  readonly sessions?: readonly string[];
}

/** A way to read what is kept of one session. */
export interface Reader {
  readonly name: string;
  /** It reads all of a user, whichever session it is asked for. */
  readonly ofUser?: boolean;
  read(whose: Whose): Awaitable<Reading>;
}

/** A way to delete what is kept of one user, or of one session. */
export interface Clearer {
  readonly name: string;
  /** It cannot know of a first run under way, which has stored nothing yet. */
  readonly memoryOnly?: boolean;
  clear(userId: UserId, sessionId?: SessionId): Promise<unknown>;
}

/** A way to change what is kept of one session. */
export interface Editor {
  readonly name: string;
  /** Takes back its last runs. */
  undo(whose: Whose, runs: number): Promise<unknown>;
  /** Copies it to another session of its user. */
  fork(whose: Whose, to: SessionId): Promise<unknown>;
  /** Takes back its last run, and imports it again from an export that names somebody else. */
  importAgain?(whose: Whose, named: UserId): Promise<unknown>;
  /** Deletes its runs from before a time, in milliseconds since 1970. */
  clearBefore(whose: Whose, before: number): Promise<unknown>;
}

/** What came of asking for data that is not one's own. */
export interface Attempt {
  readonly refused: boolean;
  /** Everything that came back. */
  readonly text: string;
  /** How many messages it says there are or were. */
  readonly count?: number | undefined;
}

/** A way to ask for data that is not one's own. */
export interface Attack {
  readonly name: string;
  /** Whether it must be refused. Otherwise an answer without other users' data is fine too. */
  readonly refused?: boolean;
  /**
   * Two ids may be confused in it: it is tried between everybody and everybody else, together with
   * the other attacks of this kind.
   */
  readonly everyPair?: boolean;
  /** What it shows are numbers alone. */
  readonly countsOnly?: boolean;
  /** What it shows comes without a count of messages. */
  readonly countsNothing?: boolean;
  /** It deletes what it is answered about. */
  readonly deletes?: boolean;
  /** Nothing is kept that even its owner could get in this way. */
  readonly showsNobody?: boolean;
  /**
   * Asks as a user for a session of another; a user who asks for an own one must get it.
   * @throws when it is neither answered nor refused
   */
  attempt(by: UserId, of: Whose, signal: AbortSignal): Promise<Attempt>;
}

/** A way to send a message that names somebody else. */
export interface Forgery {
  readonly name: string;
  /** Whether it must be refused; otherwise it must be a message of the sender. */
  readonly refused?: boolean;
  /**
   * Sends a message that names the other as well; nobody is forged when that is the sender.
   * @throws when it is neither answered nor refused
   */
  send(message: Outgoing, of: UserId, signal: AbortSignal): Promise<Attempt>;
}

/** Every way into a system. */
export interface Doors {
  readonly doors: readonly Door[];
  readonly readers: readonly Reader[];
  readonly clearers: readonly Clearer[];
  readonly editors?: readonly Editor[];
  readonly attacks: readonly Attack[];
  readonly forgeries: readonly Forgery[];
  close?(): Promise<void>;
}

export const NO_DOORS: Doors = {
  ...{ doors: [], readers: [], clearers: [], attacks: [], forgeries: [] },
};
