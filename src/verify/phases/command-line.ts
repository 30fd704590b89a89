import type { Clearer, Door, Reader } from "../doors/door.js";
import type { Stage } from "../stage.js";

/** Each user asks twice from the command line and reads; the first users clear a session each. */
export async function commandLine(
  stage: Stage,
  {
    door,
    readers,
    clearers,
  }: { door: Door; readers: readonly Reader[]; clearers: readonly Clearer[] },
): Promise<void> {
  for (const release of ["together", "reversed"] as const)
    await stage.overlap(
      () => stage.users.map((userId) => stage.send(stage.whose(userId, 1), { door })),
      release,
    );
  const [first, second] = stage.users.map((userId) => stage.whose(userId, 1));
  if (first === undefined || second === undefined || stage.signal.aborted) return;
  await stage.readBack(first, "stored", readers);
  const [size] = readers as [Reader];
  for (const [index, clearer] of clearers.entries()) {
    const { userId, sessionId } = index === 0 ? first : second;
    await stage.clear(clearer, userId, sessionId);
    await Promise.all([first, second].map((whose) => stage.readBack(whose, "clears", [size])));
  }
}
