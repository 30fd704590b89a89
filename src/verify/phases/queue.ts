import type { Stage } from "../stage.js";

/** Three messages of each session at once: each must be answered with the ones before it. */
export async function queue(stage: Stage): Promise<void> {
  const sends = stage.users.flatMap((userId) => {
    const whose = stage.whose(userId);
    // Doors that take different paths to the queue could change the order, so they share one.
    const door = stage.orderedDoorFor(userId);
    return [0, 1, 2].map(() => stage.send(whose, { door, plan: "reply" }));
  });
  await Promise.all(sends);
}
