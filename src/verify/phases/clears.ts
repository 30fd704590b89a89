import type { UserId } from "../../ids.js";
import type { Clearer } from "../doors/door.js";
import type { Stage } from "../stage.js";

/** Clears one session, then one user, even during a run. Nothing else may change. */
export async function clears(stage: Stage): Promise<void> {
  const [first, second, third] = stage.users;
  if (first === undefined || second === undefined) return;
  for (const [round, clearer] of stage.clearers.entries()) {
    const { sessionId } = stage.whose(first, round);
    await stage.clear(clearer, first, sessionId);
    await stage.clear(clearer, second);
    await stage.send(stage.whose(second), { check: "clears" });
    if (third !== undefined) await clearDuringRuns(stage, clearer, third);
  }
  await Promise.all(
    stage.users.map((userId) => stage.send(stage.whose(userId), { check: "clears" })),
  );
  await stage.readBackInTurn("clears");
}

/** Clears during a run: once with something stored, once with nothing to delete yet. */
async function clearDuringRuns(stage: Stage, clearer: Clearer, userId: UserId): Promise<void> {
  await stage.send(stage.whose(userId), { check: "clears" });
  await clearDuringRun(stage, clearer, userId);
  // Only the agent knows of a run that has stored nothing yet.
  if (!clearer.memoryOnly) await clearDuringRun(stage, clearer, userId);
}

/** The run in progress must fail, and nothing of it may come back. */
async function clearDuringRun(stage: Stage, clearer: Clearer, userId: UserId): Promise<void> {
  stage.gate.hold((run) => run.userId === userId);
  const sent = stage.send(stage.whose(userId), { outcome: "dropped", check: "clears" });
  await stage.arrived(1, [sent]);
  await stage.clear(clearer, userId);
  await stage.gate.release("together");
  await sent;
}
