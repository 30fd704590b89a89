// The agent inside your own server, which authenticates users: node examples/server.mjs
import { createServer as createHttpServer } from "node:http";
import { Agent, DemoModel, InMemory } from "agno-chat";
import { createServer } from "agno-chat/server";

const users = new Map([
  ["Bearer token-of-alice", "alice"],
  ["Bearer token-of-bob", "bob"],
]);

const chat = createServer({
  agent: new Agent({ model: new DemoModel(), memory: new InMemory() }),
  authenticate({ headers }) {
    const userId = users.get(headers.authorization);
    return userId === undefined ? null : { userId };
  },
});

const server = createHttpServer((request, response) => {
  if (request.url === "/") response.end("My own page\n");
  else chat.handler(request, response);
});
server.listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));

async function say(token, message) {
  const response = await fetch(`http://127.0.0.1:${server.address().port}/chat`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ message }),
  });
  console.log(response.status, await response.text());
}

await say("token-of-alice", "My name is Alice");
await say("token-of-bob", "My name is Bob");
await say("token-of-alice", "What's my name?");
await say("token-of-nobody", "What's my name?");

await chat.close();
server.close();
server.closeAllConnections();
