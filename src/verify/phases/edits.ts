import { setImmediate as immediate } from "node:timers/promises";
import { validateSessionId } from "../../ids.js";
import type { Whose } from "../finding.js";
import { inTurn, type Stage } from "../stage.js";

const COPY = validateSessionId("a copy of a session");

/**
 * Takes back runs, copies sessions and deletes old runs. Nothing else may change, and no run come
 * back.
 */
export async function edits(stage: Stage): Promise<void> {
  const [clearer] = stage.clearers;
  for (const [turn, editor] of stage.editors.entries()) {
    const user = inTurn(stage.users, turn);
    const whose = stage.whose(user, turn);
    await stage.send(whose, { plan: "tools", check: "edits" });
    await stage.readBack(whose, "edits");
    await stage.undo(editor, whose, 2);
    await stage.send(whose, { plan: "tools", check: "edits" });
    await stage.readBack(whose, "edits");
    const other = stage.whose(inTurn(stage.users, turn + 1), turn);
    await stage.send(other, { check: "edits" });
    await stage.fork(editor, other, COPY);
    await compare(stage, other);
    if (clearer !== undefined) await stage.clear(clearer, other.userId, COPY);
    await stage.send(whose, { check: "edits" });
    await stage.importAgain(editor, whose, other.userId);

    const before = await laterMoment();
    // A tool might quote from the state, which keeps what earlier runs have put there.
    await stage.send(whose, { check: "edits" });
    await stage.clearBefore(editor, whose, before);
    await stage.readBack(whose, "edits");
  }
  await stage.readBackInTurn("edits");
}

/** A time after that of everything stored so far. */
async function laterMoment(): Promise<number> {
  const now = Date.now();
  while (Date.now() === now) await immediate();
  return Date.now();
}

/** The copy must hold the texts of the session, and so nobody else's. */
async function compare(stage: Stage, whose: Whose): Promise<void> {
  const reader = stage.readers.find(({ name }) => name === "memory.getMessages");
  const textsOf = async (sessionId: Whose["sessionId"]): Promise<string> => {
    const { messages = [] } = (await reader?.read({ ...whose, sessionId })) ?? {};
    return JSON.stringify(messages.map(({ role, content }) => [role, content]));
  };
  if ((await textsOf(COPY)) === (await textsOf(whose.sessionId))) return;
  const place = { check: "edits", door: "fork", where: "copy", by: whose } as const;
  stage.report([{ ...place, kind: "altered", text: "the copy differs from the session" }]);
}
