import type { VerifiedAgent } from "../doors/library.js";
import type { Stage } from "../stage.js";

/** A clear removes one session, then one user, also while a run is under way; nothing else changes. */
export async function clears(stage: Stage, agent: VerifiedAgent): Promise<void> {
  const [first, second, third] = stage.users;
  if (first === undefined || second === undefined) return;
  await clearSession(stage, agent, first);
  await clearUser(stage, agent, second);
  if (third !== undefined) await clearDuringRun(stage, agent, third);
  await Promise.all(
    stage.users.map((userId) => stage.send(stage.whose(userId), { check: "clears" })),
  );
  for (const userId of stage.users)
    for (const sessionId of stage.sessions)
      for (const reader of stage.readers) await stage.read(reader, { userId, sessionId }, "clears");
}

async function clearSession(stage: Stage, agent: VerifiedAgent, userId: string): Promise<void> {
  const { sessionId } = stage.whose(userId);
  await agent.forUser(userId).clear({ sessionId });
  stage.ledger.clear(userId, sessionId);
}

async function clearUser(stage: Stage, agent: VerifiedAgent, userId: string): Promise<void> {
  await agent.forUser(userId).clear();
  stage.ledger.clear(userId);
}

/** The run under way must fail and come back nowhere. */
async function clearDuringRun(stage: Stage, agent: VerifiedAgent, userId: string): Promise<void> {
  stage.gate.hold((run) => run.userId === userId);
  const sent = stage.send(stage.whose(userId), { outcome: "dropped", check: "clears" });
  await stage.arrived(1);
  await clearUser(stage, agent, userId);
  await stage.gate.release("together");
  await sent;
}
