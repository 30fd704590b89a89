import { once } from "node:events";
import { writeSync } from "node:fs";
import { openMemory } from "../../src/memory/open-memory.js";
import { assistantMessage, userMessage } from "../../src/messages.js";

// Runs in its own process: waits for a line on stdin, then stores runs one after the other and
// prints the number of each one that is stored.
const [store = "", user = "", name = "", count = "Infinity"] = process.argv.slice(2);
const memory = await openMemory(store);

writeSync(1, "ready\n");
await once(process.stdin, "data");
for (let index = 0; index < Number(count); index += 1) {
  const run = [userMessage(`${name} ${index}?`), assistantMessage(`${name} ${index}!`)];
  await memory.add(run, user, { state: { [name]: index } });
  // Synchronous, so that every acknowledgement is out before the process can be killed.
  writeSync(1, `${index}\n`);
}
await memory.close();
process.stdin.destroy();
