// A chat server on web-standard requests: bun examples/fetch.mjs, deno serve -A examples/fetch.mjs,
// or as a worker.
import { Agent, DemoModel } from "agno-chat";
import { createServer } from "agno-chat/server";

const users = new Map([
  ["Bearer token-of-alice", "alice"],
  ["Bearer token-of-bob", "bob"],
]);

const chat = createServer({
  agent: new Agent({ model: new DemoModel() }),
  authenticate({ headers }) {
    const userId = users.get(headers.authorization ?? "");
    return userId === undefined ? null : { userId };
  },
});

// biome-ignore lint/style/noDefaultExport: Bun, Deno and workers look for it
export default { fetch: (request) => chat.fetch(request) };
