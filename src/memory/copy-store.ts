import type { SessionId, UserId } from "../ids.js";
import type { StoredMessage } from "../messages.js";
import type { StateChange } from "./state.js";
import type { Store, UserRow } from "./store.js";

/** A store whose users can be copied to another one, each with everything that is stored. */
export interface CopyStore extends Store<false> {
  /** The next users above the id `after`, in the order of their ids by code points. */
  usersAfter(after: string, limit: number): Promise<readonly UserRow[]>;

  /**
   * Stores a new user in one commit and keeps message ids, run ids and times. If the user exists,
   * stores nothing and resolves to false. If `pages` throws, stores nothing and rejects with that
   * error.
   * @param pages All messages of the user in the order of their ids, read as they are needed.
   */
  importUser(user: UserCopy, pages: AsyncIterable<readonly StoredMessage[]>): Promise<boolean>;
}

/** A user without messages. */
export interface UserCopy {
  readonly userId: UserId;
  /** Milliseconds since 1970. */
  readonly lastActivity: number;
  readonly sessions: readonly SessionCopy[];
}

export interface SessionCopy {
  readonly sessionId: SessionId;
  readonly total: number;
  /** Milliseconds since 1970. */
  readonly lastActivity: number;
  readonly state: readonly StateChange[];
}
