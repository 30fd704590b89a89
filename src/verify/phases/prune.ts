import { setTimeout as delay } from "node:timers/promises";
import type { Memory } from "../../memory/memory.js";
import type { Stage } from "../stage.js";

/** Far enough apart for a clock of milliseconds. */
const A_MOMENT_MS = 5;

/** Removing inactive users takes those alone. Only for a memory that may lose everybody. */
export async function prune(stage: Stage, memory: Memory): Promise<void> {
  const [active, ...idle] = stage.users;
  if (active === undefined || idle.length === 0 || stage.signal.aborted) return;
  await delay(A_MOMENT_MS);
  const since = Date.now();
  await stage.send(stage.whose(active), { check: "clears" });
  await delay(A_MOMENT_MS);
  await memory.removeInactive(Date.now() - since + 1, { force: true });
  for (const userId of idle) stage.ledger.clear(userId);
  await stage.readBackInTurn("clears");
}
