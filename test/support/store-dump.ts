import { openMemory } from "../../src/memory/open-memory.js";
import { assistantMessage, userMessage } from "../../src/messages.js";

/** Two users with sessions, gaps in their ids, state and texts that databases dislike. */
export async function fill(spec: string): Promise<void> {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const memory = await openMemory(spec, { now: () => now });
  for (const userId of ["alice", "bob"])
    for (const sessionId of ["work", "gone", "default"]) {
      now += 1_000;
      await memory.add(
        [userMessage(`hi \0 \ud800 ${sessionId}`), assistantMessage("hello")],
        userId,
        {
          sessionId,
          state: { "k\0y": { b: 1, a: [null, "\udfff"] }, __proto__x: 1, ["__proto__"]: "plain" },
        },
      );
    }
  await memory.clear("alice", { sessionId: "gone" });
  await memory.add([userMessage("again"), assistantMessage("yes")], "alice", { sessionId: "work" });
  await memory.add([], "carol", { state: { only: "state" } });
  await memory.close();
}

/** Everything that a memory tells of its users. */
export async function dump(spec: string) {
  const memory = await openMemory(spec);
  const users = [...(await memory.users())].sort((a, b) => (a.userId < b.userId ? -1 : 1));
  const all = [];
  for (const user of users) {
    const sessions = await memory.sessions(user.userId);
    const states = [];
    for (const { sessionId } of sessions) {
      const { state, total } = await memory.read(user.userId, { sessionId });
      states.push([sessionId, Object.entries(state).sort(), total]);
    }
    all.push({ user, sessions, states, messages: await memory.getMessages(user.userId) });
  }
  await memory.close();
  return all;
}
