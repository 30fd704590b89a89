import type { CopyStore } from "../memory/copy-store.js";
import type { DeletedUsers } from "../memory/memory.js";
import type { UserRow } from "../memory/store.js";

const USERS_PER_PAGE = 1_000;

/**
 * All users of a store in the order of their ids, page by page; of no store, none. A page is never
 * empty.
 */
export async function* usersOf(store: CopyStore | undefined): AsyncGenerator<readonly UserRow[]> {
  if (store === undefined) return;
  for (let after = "", more = true; more; ) {
    const users = await store.usersAfter(after, USERS_PER_PAGE);
    if (users.length > 0) yield users;
    after = users.at(-1)?.userId ?? "";
    more = users.length === USERS_PER_PAGE;
  }
}

/** Adds up what the deletion of these users would delete. */
export class UserTotal implements DeletedUsers {
  users = 0;
  sessions = 0;
  messages = 0;

  add(users: readonly UserRow[]): void {
    this.users += users.length;
    for (const { sessions, messages } of users) {
      this.sessions += sessions;
      this.messages += messages;
    }
  }
}
