import type { Stage } from "../stage.js";

/** Everything that must be kept is read back through every reader. */
export async function stored(stage: Stage): Promise<void> {
  for (const userId of stage.users)
    for (const sessionId of stage.sessions) {
      if (stage.signal.aborted) return;
      await stage.readBack({ userId, sessionId });
    }
}
