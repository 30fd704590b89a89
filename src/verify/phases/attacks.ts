import { finding, words } from "../judge.js";
import type { Stage } from "../stage.js";

/** Everybody asks for the data of everybody else in every way there is. */
export async function attacks(stage: Stage): Promise<void> {
  for (const attack of stage.attacks)
    for (const userId of stage.users)
      for (const other of stage.users) {
        if (userId === other || stage.signal.aborted) continue;
        const by = stage.whose(userId);
        const answer = await attack.attempt(by, stage.whose(other)).catch(() => "");
        stage.reached.add(attack.name);
        const canary = stage.ledger.canaries
          .in(answer)
          .find(({ owner }) => owner.userId !== userId);
        if (canary === undefined) continue;
        const text = `got another user's ${words(canary.kind)} by asking for it`;
        const sighting = { check: "attacks", by, door: attack.name } as const;
        stage.report([
          finding("foreign", sighting, { where: "answer", run: canary.owner, canary, text }),
        ]);
      }
}
