import { once } from "node:events";
import { writeSync } from "node:fs";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { assistantMessage, userMessage } from "../../src/messages.js";

// A process of its own: waits for a line on stdin, then stores runs one after the other and names each that was acknowledged.
const [path = "", user = "", name = "", count = "Infinity"] = process.argv.slice(2);
const memory = new SqliteMemory(path);

writeSync(1, "ready\n");
await once(process.stdin, "data");
for (let index = 0; index < Number(count); index += 1) {
  const run = [userMessage(`${name} ${index}?`), assistantMessage(`${name} ${index}!`)];
  await memory.add(run, user, { state: { [name]: index } });
  // Written at once, so that nothing acknowledged is still on its way when the process is killed.
  writeSync(1, `${index}\n`);
}
await memory.close();
process.stdin.destroy();
