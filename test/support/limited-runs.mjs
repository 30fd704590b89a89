import { once } from "node:events";
import { writeSync } from "node:fs";
import { Agent, openMemory } from "../../dist/index.js";

// Runs in its own process: waits for a line on stdin, then starts runs of one user at once, each in
// a session of its own, and prints "answered" or the code of the refusal for each.
const [store, count, limits, hold = "no"] = process.argv.slice(2);
const memory = await openMemory(store);
await memory.size("alice");

/** Reports 5 tokens for each reply, the first of which never ends if it is to be held. */
const model = {
  name: "counted",
  async *stream() {
    writeSync(1, "asked\n");
    if (hold === "hold") await new Promise(() => setInterval(() => {}, 1_000));
    yield { type: "text-delta", text: "Hello" };
    yield { type: "finish", reason: "stop", usage: { inputTokens: 2, outputTokens: 3 } };
  },
};
const agent = new Agent({ model, memory, limits: JSON.parse(limits) });

writeSync(1, "ready\n");
await once(process.stdin, "data");
const runs = Array.from({ length: Number(count) }, (_, index) =>
  agent.run("hi", { userId: "alice", sessionId: `${process.pid}-${index}` }).then(
    () => "answered",
    ({ code }) => code,
  ),
);
for (const outcome of await Promise.all(runs)) writeSync(1, `${outcome}\n`);
await memory.close();
process.stdin.destroy();
