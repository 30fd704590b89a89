import { AsyncLocalStorage } from "node:async_hooks";
import { AgnoChatError } from "../errors.js";

/** The user and session that a tool is called for. */
interface Caller {
  readonly userId: string;
  readonly sessionId: string;
}

interface Scope extends Caller {
  readonly of: ToolScope;
  readonly outer: Scope | undefined;
  open: boolean;
}

/**
 * One for all agents: Node keeps every storage that was used for as long as the process lives, and
 * each costs all later promises a little.
 */
const scopes = new AsyncLocalStorage<Scope>();

/**
 * Knows whose tool the current code runs in, so that a tool which runs its own user and session is
 * refused instead of waiting for itself. It is read only for that: the user of a run is always an
 * argument.
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
        throw new AgnoChatError(
          "REENTRANT_RUN",
          "A tool cannot run the session it is called from.",
          {
            hint: "Run another session of this user, or return the question as the tool's result.",
          },
        );
  }
}
