import { once } from "node:events";
import { readFileSync, writeSync } from "node:fs";
import { importHistory } from "../../../../src/data/import/import-history.js";
import { openMemory } from "../../../../src/memory/open-memory.js";

// Runs in its own process: waits for a line on stdin, then imports a file and prints what came of
// it as JSON.
const [store = "", user = "", file = ""] = process.argv.slice(2);
const memory = await openMemory(store);

writeSync(1, "ready\n");
await once(process.stdin, "data");
writeSync(1, JSON.stringify(await importHistory(memory, user, [readFileSync(file, "utf8")])));
await memory.close();
process.stdin.destroy();
