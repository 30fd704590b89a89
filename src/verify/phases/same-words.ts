import { inTurn, type Stage } from "../stage.js";

/** Caches show only when everybody says the same. */
export const SAME_WORDS = "What did I tell you first?";

/**
 * Everybody says the same words through each door, twice: first at once, then one after the other.
 * Each message must make a request, and each reply belong to it.
 */
export async function sameWords(stage: Stage): Promise<void> {
  for (const door of stage.doors) {
    if (stage.signal.aborted) return;
    const options = { door, sameWords: SAME_WORDS, check: "same-words" } as const;
    const before = stage.recorder.requests;
    const crowd = stage.crowdFor(door);
    await stage.overlap(
      () => crowd.map((userId) => stage.send(stage.whose(userId), options)),
      "together",
    );
    for (const userId of crowd.slice(0, 2)) await stage.send(stage.whose(userId), options);
    const wanted = crowd.length + Math.min(2, crowd.length);
    const made = stage.recorder.requests - before;
    if (made === wanted) continue;
    const text = `${wanted} messages made ${made} requests`;
    const by = stage.whose(inTurn(crowd, 0));
    stage.report([
      { check: "same-words", kind: "mispaired", by, door: door.name, where: "requests", text },
    ]);
  }
}
