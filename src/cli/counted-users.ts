import { usersOf } from "../data/users-of.js";
import type { CopyStore } from "../memory/copy-store.js";
import type { UserRow } from "../memory/store.js";
import type { Context } from "./command-context.js";
import { Progress } from "./progress.js";
import { count } from "./words.js";

/** All users of a store, page by page, while a terminal shows how many were counted. */
export async function* countedUsers(
  context: Context,
  store: CopyStore | undefined,
): AsyncGenerator<readonly UserRow[]> {
  let users = 0;
  const progress = (): string => `${count(users, "user")} counted`;
  for await (const page of new Progress(context).along(usersOf(store), progress)) {
    context.signal.throwIfAborted();
    users += page.length;
    yield page;
  }
}
