import { AgnoChatError, asAgnoChatError } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";

/** What a finding says about the texts of its owner. */
export type FindingKind =
  /** Another user saw them. */
  | "foreign"
  /** Another session of the same user saw them. */
  | "cross-session"
  /** They are missing from a later request or from what is stored. */
  | "lost"
  /** A run was answered without the reply before it, since that was still under way. */
  | "blind"
  /** They came in another order than the runs. */
  | "reordered"
  /** They came more than once. */
  | "repeated"
  /** A reply or tool result belongs to another question. */
  | "mispaired"
  /** They differ from what was said, though the canaries are right. */
  | "altered"
  /** A failed or cancelled run was kept. */
  | "kept"
  /** A cleared run came back. */
  | "not-cleared"
  /** A run waited for somebody else's. */
  | "blocked"
  /** Nobody can tell whose they are. */
  | "unowned"
  /** Something failed that should not have. */
  | "error"
  /** Data of users who are not part of the check changed. */
  | "touched";

/** The checks in the order of the report, and what each one shows if it finds nothing. */
export const CHECKS = {
  requests: "every request holds exactly its session's earlier runs and this one",
  "same-words": "the same words from everybody still get everybody's own answer",
  replies: "every reply went to the user who asked",
  tools: "every tool saw the user, session and state of its own run",
  "side-by-side": "nobody waited for somebody else's run",
  stored: "every reader returns exactly what its user said and was told",
  failures: "a failed or cancelled run left nothing behind",
  clears: "a clear removed what it named and nothing else",
  edits: "taking runs back and copying a session changed that session alone",
  limits: "a shorter window holds the most recent runs of its own session",
  attacks: "asking for another user's data returned none of it",
  reopened: "another process reads the same histories",
  killed: "a killed process left whole runs, and every run that it had answered",
  together: "processes that wrote at once lost nothing and mixed nothing up",
  erased: "the bytes of cleared texts are gone",
  bystanders: "everybody else's rows are the same as before",
} as const;

export type CheckName = keyof typeof CHECKS;

/** One conversation of the check. */
export interface Whose {
  readonly userId: UserId;
  readonly sessionId: SessionId;
}

/** A conversation as a report names it: also one that the check does not know, or not whole. */
export interface NamedConversation {
  readonly userId: string;
  readonly sessionId: string;
}

/** The user and session of anything that belongs to one, and nothing else of it. */
export const whoseOf = ({ userId, sessionId }: Whose): Whose => ({ userId, sessionId });

/** Whether something belongs to this user and session. */
export const isOf = (one: Whose, { userId, sessionId }: Whose): boolean =>
  one.userId === userId && one.sessionId === sessionId;

/** One thing that should not be. */
export interface Finding {
  readonly check: CheckName;
  readonly kind: FindingKind;
  /** Whose text it is about; absent when that is unknown. */
  readonly of?: NamedConversation;
  /** Who saw it, or was told nothing. */
  readonly by?: NamedConversation;
  /** Where: `POST /chat`, `agent.run`, `memory.getMessages`. */
  readonly door: string;
  /** Which part: `messages[3]`, `reply`, `state`. */
  readonly where: string;
  /** The number of the request to the model, from 1. */
  readonly request?: number;
  /** The number of the run that planted the text. */
  readonly run?: number;
  readonly canary?: string;
  /** One line for people. */
  readonly text: string;
}

/** Everything that an error and its causes say to whoever catches it. */
export function saidBy(thrown: unknown): string {
  const said: unknown[] = [];
  for (let error = thrown; error instanceof Error && said.length < 20; error = error.cause)
    said.push(error.message, error instanceof AgnoChatError ? error.hint : "");
  return said.join("\n");
}

/** One line that names a failure, for the text of a finding. */
export function reasonOf(thrown: unknown): string {
  const { code, message } = asAgnoChatError(thrown);
  if (thrown instanceof AgnoChatError) return `${code}: ${message}`;
  return thrown instanceof Error ? thrown.message : message;
}
