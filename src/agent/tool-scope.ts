import { AsyncLocalStorage } from "node:async_hooks";
import { AgnoChatError } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";

/** The user and session of a tool call. */
interface Caller {
  readonly userId: UserId;
  readonly sessionId: SessionId;
}

interface Scope extends Caller {
  readonly of: ToolScope;
  readonly outer: Scope | undefined;
  open: boolean;
}

/**
 * Shared by all agents, because Node never releases a storage, and each slows down all promises a
 * little.
 */
const scopes = new AsyncLocalStorage<Scope>();

/**
 * Tracks which user's tool is running, so that a tool that runs its own session is refused instead
 * of waiting for itself. It serves no other purpose: the user of a run is always an argument.
 */
export class ToolScope {
  async run<T>({ userId, sessionId }: Caller, work: () => Promise<T>): Promise<T> {
    const scope: Scope = { userId, sessionId, of: this, outer: scopes.getStore(), open: true };
    try {
      return await scopes.run(scope, work);
    } finally {
      scope.open = false;
    }
  }

  /** @throws {AgnoChatError} `REENTRANT_RUN` inside a tool of the same user and session */
  refuseReentry({ userId, sessionId }: Caller): void {
    for (let scope = scopes.getStore(); scope !== undefined; scope = scope.outer)
      if (
        scope.of === this &&
        scope.open &&
        scope.userId === userId &&
        scope.sessionId === sessionId
      )
        throw new AgnoChatError("REENTRANT_RUN", "A tool cannot run the session that called it.", {
          hint: "Run another session, or return the question as the tool's result.",
        });
  }
}
