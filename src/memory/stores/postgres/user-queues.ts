import type { UserId } from "../../../ids.js";

/**
 * Runs the writes of one user one after the other, in the order of the calls. On a pool they could
 * overtake each other, and writes that wait for the user's row would occupy every connection.
 */
export class UserQueues {
  readonly #last = new Map<UserId, Promise<unknown>>();

  inOrder<Result>(userId: UserId, work: () => Promise<Result>): Promise<Result> {
    const done = (this.#last.get(userId) ?? Promise.resolve()).then(work);
    const settled = done
      .catch(() => undefined)
      .finally(() => {
        if (this.#last.get(userId) === settled) this.#last.delete(userId);
      });
    this.#last.set(userId, settled);
    return done;
  }
}
