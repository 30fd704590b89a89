import { setImmediate as turn } from "node:timers/promises";
import { Agent } from "../../agent/agent.js";
import { RunStream } from "../../agent/run-stream.js";
import { InMemory } from "../../memory/in-memory.js";
import type { AgentParts } from "../battery.js";
import type { VerifiedAgent } from "../doors/library.js";
import type { Double } from "./double.js";

type Run = (text: string, options: RunOptions) => ReturnType<Agent["run"]>;
type RunOptions = Parameters<Agent["run"]>[1];

/** An agent whose runs all go through one changed function. */
const double = (
  name: string,
  makeRun: (agent: Agent, parts: AgentParts & { memory: InMemory }) => Run,
): Double => ({
  name,
  open() {
    const memory = new InMemory();
    return {
      open(parts) {
        const agent = new Agent({ ...parts, memory });
        const run = makeRun(agent, { ...parts, memory });
        return { agent: runningBy(agent, run), memory };
      },
    };
  },
});

function runningBy(agent: Agent, run: Run): VerifiedAgent {
  const stream = (text: string, options: RunOptions): RunStream =>
    new RunStream(
      async (emit) => {
        const output = await run(text, options);
        emit({ type: "text-delta", text: output.content });
        return output;
      },
      () => {},
    );
  return {
    run,
    stream: stream as Agent["stream"],
    context: agent.context.bind(agent),
    forUser(userId) {
      const view = agent.forUser(userId);
      return new Proxy(view, {
        get(target, name) {
          if (name === "run") return (text: string, rest = {}) => run(text, { ...rest, userId });
          if (name === "stream")
            return (text: string, rest = {}) => stream(text, { ...rest, userId });
          const value = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  };
}

export const AGENT_DOUBLES: readonly Double[] = [
  double("a current user that every run sets", (agent) => {
    let current = "";
    return async (text, options) => {
      current = options.userId;
      await turn();
      return agent.run(text, { ...options, userId: current });
    };
  }),
  double("runs of one session that do not wait for each other", (_, parts) => {
    return (text, options) => new Agent(parts).run(text, options);
  }),
  {
    ...double("one queue for all users", (agent) => {
      let last: Promise<unknown> = Promise.resolve();
      return (text, options) => {
        const run = last.then(() => agent.run(text, options));
        last = run.catch(() => {});
        return run;
      };
    }),
    blocks: true,
  },
  double("a failed run that is stored", (agent, { memory }) => async (text, options) => {
    try {
      return await agent.run(text, options);
    } catch (thrown) {
      const { userId, ...rest } = options;
      memory.add({ role: "user", content: text }, userId, { sessionId: rest.sessionId });
      throw thrown;
    }
  }),
  double("replies handed out in the order of their ends", (agent) => {
    const waiting: ((output: ReturnType<Run>) => void)[] = [];
    return async (text, options) => {
      const mine = new Promise<Awaited<ReturnType<Run>>>((resolve) => waiting.push(resolve));
      const run = agent.run(text, options);
      await run.catch(() => {});
      waiting.shift()?.(run);
      return mine;
    };
  }),
  double(
    "one session for each user",
    (agent) =>
      (text, { sessionId: _, ...options }) =>
        agent.run(text, options),
  ),
];
