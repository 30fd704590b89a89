import type { Memory } from "../../memory/memory.js";
import type { VerifiedAgent } from "../doors/library.js";
import type { Whose } from "../finding.js";
import type { Stage } from "../stage.js";

/** A clear removes one session, then one user, also while a run is under way; nothing else changes. */
export async function clears(
  stage: Stage,
  { agent, memory }: { readonly agent: VerifiedAgent; readonly memory: Memory },
): Promise<void> {
  const [first, second, third] = stage.users;
  if (first === undefined || second === undefined) return;
  for (const round of [0, 1]) await clearSession(stage, agent, stage.whose(first, round));
  await clearUser(stage, agent, second);
  if (third !== undefined) {
    await clearDuringRun(stage, third, () => agent.forUser(third).clear());
    // Another process clears in the memory alone.
    await stage.send(stage.whose(third), { check: "clears" });
    await clearDuringRun(stage, third, () => memory.clear(third));
    // Nothing is stored yet that the memory could delete.
    await clearDuringRun(stage, third, () => agent.forUser(third).clear());
  }
  await Promise.all(
    stage.users.map((userId) => stage.send(stage.whose(userId), { check: "clears" })),
  );
  await stage.readAllBack("clears");
}

async function clearSession(stage: Stage, agent: VerifiedAgent, whose: Whose): Promise<void> {
  const { userId, sessionId } = whose;
  await agent.forUser(userId).clear({ sessionId });
  stage.ledger.clear(userId, sessionId);
}

async function clearUser(stage: Stage, agent: VerifiedAgent, userId: string): Promise<void> {
  await agent.forUser(userId).clear();
  stage.ledger.clear(userId);
}

/** The run under way must fail and come back nowhere. */
async function clearDuringRun(stage: Stage, userId: string, clear: () => unknown): Promise<void> {
  stage.gate.hold((run) => run.userId === userId);
  const sent = stage.send(stage.whose(userId), { outcome: "dropped", check: "clears" });
  await stage.arrived(1);
  await clear();
  stage.ledger.clear(userId);
  await stage.gate.release("together");
  await sent;
}
