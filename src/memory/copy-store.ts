import type { SessionId, UserId } from "../ids.js";
import type { Contents, StoredMessage } from "../messages.js";
import type { DeletedUsers } from "./memory.js";
import type { StateChange } from "./state.js";
import type { Store, Sweep, UserRow } from "./store.js";

/**
 * A store that keeps more users than fit in memory: they are listed page by page, deleted step by
 * step, and can be copied to another store, each with everything that is stored.
 */
export interface CopyStore extends Store<false> {
  /**
   * The same as `users`, page by page: all from the moment of the first page. A page is never
   * empty.
   */
  usersByActivity(): AsyncIterable<readonly UserRow[]>;

  /** The next users above the id `after`, in the order of their ids by code points. */
  usersAfter(after: string, limit: number): Promise<readonly UserRow[]>;

  /** Tells how far it is, and can be stopped: users deleted by then stay deleted. */
  deleteIdle(sweep: LongSweep): Promise<DeletedUsers>;

  /**
   * Stores a new user in one commit and keeps message ids, run ids and times. If the user exists,
   * stores nothing and resolves to false. If `pages` throws, stores nothing and rejects with that
   * error.
   * @param pages All messages of the user in the order of their ids, read as they are needed.
   */
  importUser(user: UserCopy, pages: AsyncIterable<readonly StoredMessage[]>): Promise<boolean>;
}

export interface LongSweep extends Sweep {
  /** Called now and then with what has been deleted so far. */
  readonly onProgress?: ((deleted: DeletedUsers) => void) | undefined;
  /** Ends the sweep after the users that are being deleted; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A user without messages. */
export interface UserCopy {
  readonly userId: UserId;
  /** Milliseconds since 1970. */
  readonly lastActivity: number;
  readonly sessions: readonly SessionCopy[];
  /** Reads contents of attachments, which are asked for message by message. */
  readonly contentsOf: (hashes: readonly string[]) => Promise<Contents>;
}

export interface SessionCopy {
  readonly sessionId: SessionId;
  readonly total: number;
  /** Milliseconds since 1970. */
  readonly lastActivity: number;
  readonly state: readonly StateChange[];
}

/** Names that begin with a prefix; see `knownNames`. */
export interface NamesQuery {
  /** Whose sessions are asked for; without it, the users are. */
  readonly sessionsOf?: UserId;
  readonly prefix: string;
  readonly limit: number;
}
