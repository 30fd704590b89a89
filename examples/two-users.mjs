// One agent, two users, no key: node examples/two-users.mjs
import { Agent, DemoModel, InMemory } from "agno-chat";

const agent = new Agent({ model: new DemoModel(), memory: new InMemory() });
const alice = agent.forUser("alice");
const bob = agent.forUser("bob");

// Both at the same time: each run carries its own user, so they cannot be mixed up.
await Promise.all([alice.run("My name is Alice"), bob.run("My name is Bob")]);

for (const user of [alice, bob]) {
  process.stdout.write(`${user.userId}: `);
  for await (const event of user.stream("What's my name?"))
    if (event.type === "text-delta") process.stdout.write(event.text);
  process.stdout.write("\n");
}
