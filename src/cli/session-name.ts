import type { Counts, SessionOptions } from "../memory/memory.js";

/** `memory.counts` bound to one user. */
type CountSessions = (options?: SessionOptions) => Promise<Counts>;

/**
 * An unused name for a new session: `session-2` when there is one already, and so on. `active`: one
 * that counts as used, even if nothing is kept of it.
 */
export async function unusedSessionName(counts: CountSessions, active?: string): Promise<string> {
  const isKept = async (sessionId: string) => (await counts({ sessionId })).sessions > 0;
  const { sessions } = await counts();
  const isOneMore = active !== undefined && !(await isKept(active));
  let number = sessions + (isOneMore ? 2 : 1);
  // Whoever has deleted old sessions may have many of the next names: so the steps grow.
  for (let step = 1; ; step *= 2) {
    const name = `session-${number}`;
    if (name !== active && !(await isKept(name))) return name;
    number += step;
  }
}
