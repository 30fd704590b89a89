import { attachedFiles } from "../../src/attachments.js";
import { openMemory } from "../../src/memory/open-memory.js";
import { assistantMessage, hashesOf, userMessage } from "../../src/messages.js";
import { PNG } from "./pictures.js";

/** Two users with sessions, gaps in their ids, state, a file and texts that databases dislike. */
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
  const { attachments, contents } = attachedFiles([{ name: "photo", content: PNG }]);
  const again = { ...userMessage("again"), attachments };
  await memory.add([again, assistantMessage("yes")], "alice", { sessionId: "work", contents });
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
    const messages = await memory.getMessages(user.userId);
    const contents = await memory.attachments?.read(user.userId, hashesOf(messages));
    const files = [...(contents ?? [])].map(([hash, content]) => [hash, [...content]]);
    all.push({ user, sessions, states, messages, files });
  }
  await memory.close();
  return all;
}
