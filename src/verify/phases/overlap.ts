import type { UserId } from "../../ids.js";
import { releaseIn } from "../gate.js";
import type { Stage } from "../stage.js";

/** Everybody at once, through every door, released in every order; every other round with tools. */
export async function overlap(
  stage: Stage,
  rounds: number,
  onProgress?: (what: string) => void,
): Promise<void> {
  const count = stage.users.length;
  for (let round = 0; round < rounds && !stage.signal.aborted; round++) {
    onProgress?.(`overlap, ${round * count} of ${rounds * count} runs`);
    const plan = round % 2 === 1 ? "tools" : "reply";
    const sends = () =>
      stage.users.map((userId) => {
        const door = stage.doorInRound(userId, round);
        return stage.send(stage.whose(userId, round), { plan, door });
      });
    await stage.overlap(sends, releaseIn(round));
  }
  await toolsThroughNarrowDoors(stage);
}

/** In the rounds, few runs with tools come through each door that takes few at once. */
async function toolsThroughNarrowDoors(stage: Stage): Promise<void> {
  for (const door of stage.doors.filter(({ atOnce }) => atOnce !== undefined)) {
    if (stage.signal.aborted) return;
    const users = stage.crowdFor(door);
    const sendTools = (userId: UserId) => stage.send(stage.whose(userId), { plan: "tools", door });
    await Promise.all(users.map(sendTools));
  }
}
