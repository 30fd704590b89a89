import { AgnoChatError } from "../errors.js";
import { type UserId, validateSessionId } from "../ids.js";
import { refuseUnknownKeys } from "../options.js";
import { andThen } from "./and-then.js";
import {
  finiteCountOf,
  optionalSessionIdOf,
  positiveCountOf,
  sessionIdOf,
  userIdOf,
} from "./arguments.js";
import { storeClosed } from "./failures.js";
import type { Edits, Forked, Undone } from "./memory.js";
import { CLEAR_BEFORE_KEYS, FORK_KEYS, UNDO_KEYS } from "./option-keys.js";
import { CHANGES_KEPT } from "./state.js";
import type { ForkOutcome, StoreEdits, UndoOutcome } from "./store.js";

interface EditsContext {
  readonly now: () => number;
  readonly isClosed: () => boolean;
}

/** The edits of a store, for a memory over it. */
export function editsOf(edits: StoreEdits, { now, isClosed }: EditsContext): Edits {
  /** The store, unless it is closed. */
  const open = (): StoreEdits => {
    if (isClosed()) throw storeClosed();
    return edits;
  };
  return {
    clearBefore(userId, options) {
      refuseUnknownKeys(options, CLEAR_BEFORE_KEYS, "clearBefore");
      const { before, dryRun = false } = options;
      const sessionId = optionalSessionIdOf(options);
      const old = { sessionId, before: finiteCountOf(before, "before"), dryRun, time: now() };
      return open().clearBefore(userIdOf(userId), old);
    },
    undo(userId, options = {}) {
      refuseUnknownKeys(options, UNDO_KEYS, "undo");
      const runs = positiveCountOf(options.runs ?? 1, "runs");
      const undo = { sessionId: sessionIdOf(options), runs, time: now() };
      return andThen(open().undo(userIdOf(userId), undo), undoneOrThrow);
    },
    fork(userId, options) {
      refuseUnknownKeys(options, FORK_KEYS, "fork");
      const id = userIdOf(userId);
      const to = validateSessionId(options.to);
      const fork = { sessionId: sessionIdOf(options), to, time: now() };
      return andThen(open().fork(id, fork), (outcome) => forkedOrThrow(outcome, id, fork));
    },
  };
}

function undoneOrThrow(outcome: UndoOutcome): Undone {
  if (outcome !== "STATE_UNKNOWN") return outcome;
  throw new AgnoChatError(
    "INVALID_INPUT",
    "Nothing was taken back: the session state from before these runs is not known. " +
      `The last ${CHANGES_KEPT} changes are kept.`,
    { hint: "Take back fewer runs." },
  );
}

function forkedOrThrow(
  outcome: ForkOutcome,
  userId: UserId,
  { sessionId, to }: { readonly sessionId: string; readonly to: string },
): Forked {
  if (typeof outcome === "object") return outcome;
  const of = `of user ${JSON.stringify(userId)}`;
  if (outcome === "SESSION_EXISTS")
    throw new AgnoChatError(outcome, `The session ${JSON.stringify(to)} ${of} exists already.`, {
      hint: "Choose another name.",
    });
  throw new AgnoChatError(
    "INVALID_INPUT",
    `The session ${JSON.stringify(sessionId)} ${of} has nothing to copy.`,
  );
}
