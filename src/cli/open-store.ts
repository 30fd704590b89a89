import type { CopyStore } from "../memory/copy-store.js";
import { openCopyStore } from "../memory/open-copy-store.js";
import { parseStoreSpec } from "../memory/store-spec.js";
import type { Context } from "./command-context.js";
import { storeOf } from "./open-agent.js";

/**
 * Opens the store in the settings, for work on all of its users, runs `work` with it and closes it.
 * `work` gets undefined for `memory:`, which is empty in a new process.
 */
export async function withStore<T>(
  context: Context,
  work: (store: CopyStore | undefined) => Promise<T>,
): Promise<T> {
  const spec = storeOf(context);
  if (parseStoreSpec(spec).kind === "memory") return work(undefined);
  const store = await openCopyStore(spec, { notice: (line) => context.output.note(line) });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
