import { RELEASES, type Release } from "../gate.js";
import type { Stage } from "../stage.js";

/** Everybody at once, through every door, released in every order; every other round with tools. */
export async function overlap(stage: Stage, rounds: number): Promise<void> {
  for (let round = 0; round < rounds && !stage.signal.aborted; round++) {
    const plan = round % 2 === 1 ? "tools" : "reply";
    const order = RELEASES[round % RELEASES.length] as Release;
    const sends = () =>
      stage.users.map((userId) => {
        const door = stage.doorInRound(userId, round);
        return stage.send(stage.whose(userId, round), { plan, door });
      });
    await stage.overlap(sends, order);
  }
}
