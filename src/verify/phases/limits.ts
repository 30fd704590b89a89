import type { Door } from "../doors/door.js";
import type { Stage } from "../stage.js";

/** Agents that send only the latest messages must send those of the session that asks. */
export async function limits(stage: Stage, doors: readonly Door[]): Promise<void> {
  stage.recorder.recentOnly = true;
  for (const door of doors) {
    const sends = () =>
      stage.users.map((userId) => stage.send(stage.whose(userId), { door, check: "limits" }));
    await stage.overlap(sends, "shuffled");
    await stage.overlap(sends, "reversed");
  }
  stage.recorder.recentOnly = false;
}
