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
        const stranger = stage.ledger.canaries
          .in(answer)
          .find(({ owner }) => owner.userId !== userId);
        if (stranger === undefined) continue;
        const { owner, kind, text: canary } = stranger;
        const of = { userId: owner.userId, sessionId: owner.sessionId };
        const text = `got another user's ${kind.replace("-", " ")} by asking for it`;
        const found = { check: "attacks", kind: "foreign", by, of, door: attack.name } as const;
        stage.report([{ ...found, where: "answer", run: owner.number, canary, text }]);
      }
}
