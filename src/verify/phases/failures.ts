import type { Door } from "../doors/door.js";
import type { Stage } from "../stage.js";

/** Runs that fail or are cancelled store nothing; those of everybody else go on. */
export async function failures(stage: Stage): Promise<void> {
  const [first, second, ...others] = stage.users;
  if (first === undefined || second === undefined) return;
  for (const door of someDoors(stage)) {
    if (stage.signal.aborted) return;
    const cancel = new AbortController();
    stage.gate.hold((run) => run.userId === second);
    const sends = [
      stage.send(stage.whose(first), { door, plan: "fail", outcome: "dropped", check: "failures" }),
      stage.send(stage.whose(second), {
        ...{ door, outcome: "dropped", check: "failures" },
        signal: AbortSignal.any([stage.signal, cancel.signal]),
      } as const),
      ...others.slice(0, 2).map((userId) => stage.send(stage.whose(userId), { door })),
    ];
    await stage.arrived(1);
    cancel.abort();
    // Over a connection it takes a moment until the run ends.
    await stage.left();
    await Promise.all(sends);
    await stage.gate.release("together");
    await Promise.all([first, second].map((userId) => stage.send(stage.whose(userId), { door })));
  }
  for (const userId of [first, second]) await stage.readBack(stage.whose(userId), "failures");
}

/** How many doors over connections are tried; each seed picks others. */
const MOST_NARROW = 2;

/** Each door costs half a dozen runs, so only some of those that share a path are tried. */
function someDoors({ doors, random }: Stage): readonly Door[] {
  const wide = doors.filter(({ atOnce }) => atOnce === undefined);
  const narrow = doors.filter(({ atOnce }) => atOnce !== undefined);
  return [...wide, ...random.shuffled(narrow).slice(0, MOST_NARROW)];
}
