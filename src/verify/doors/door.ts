import type { Awaitable, SessionState } from "../../memory/memory.js";
import type { Message, StoredMessage } from "../../messages.js";
import type { Whose } from "../finding.js";

/** A message on its way in. */
export interface Outgoing extends Whose {
  readonly text: string;
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
  /** How many messages the session has. */
  readonly count?: number;
  readonly state?: SessionState;
  /** The names of all sessions of the user. */
  readonly sessions?: readonly string[];
}

/** A way to read what is kept of one session. */
export interface Reader {
  readonly name: string;
  read(whose: Whose): Awaitable<Reading>;
}

/** A way to delete what is kept of one user, or of one session. */
export interface Clearer {
  readonly name: string;
  /** It cannot know of a first run under way, which has stored nothing yet. */
  readonly memoryOnly?: boolean;
  clear(userId: string, sessionId?: string): Promise<unknown>;
}

/** A way to ask for data that is not the caller's. */
export interface Attack {
  readonly name: string;
  /** Asks as `by` for what belongs to `of`; returns everything that came back. */
  attempt(by: Whose, of: Whose): Promise<string>;
}

/** Every way into a system. */
export interface Doors {
  readonly doors: readonly Door[];
  readonly readers: readonly Reader[];
  readonly clearers: readonly Clearer[];
  readonly attacks: readonly Attack[];
  close?(): Promise<void>;
}
