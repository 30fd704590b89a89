import { AsyncLocalStorage } from "node:async_hooks";
import { AgnoChatError } from "../errors.js";

interface Who {
  readonly userId: string;
  readonly sessionId: string;
}

interface Scope extends Who {
  readonly outer: Scope | undefined;
  open: boolean;
}

/**
 * Knows whose tools the current code runs in, so that a tool which runs its own user and session is refused instead of
 * waiting for itself for ever. It is read for that alone: who a run is for is always an argument.
 */
export class ToolScope {
  readonly #storage = new AsyncLocalStorage<Scope>();

  async run<T>({ userId, sessionId }: Who, work: () => Promise<T>): Promise<T> {
    const scope: Scope = { userId, sessionId, outer: this.#storage.getStore(), open: true };
    try {
      return await this.#storage.run(scope, work);
    } finally {
      scope.open = false;
    }
  }

  /** @throws {AgnoChatError} `REENTRANT_RUN` inside a tool of the same user and session */
  refuseReentry({ userId, sessionId }: Who): void {
    for (let scope = this.#storage.getStore(); scope !== undefined; scope = scope.outer)
      if (scope.open && scope.userId === userId && scope.sessionId === sessionId)
        throw new AgnoChatError(
          "REENTRANT_RUN",
          "A tool cannot run the session it is called from.",
          {
            hint: "Run another session of this user, or return the question as the tool's result.",
          },
        );
  }
}
