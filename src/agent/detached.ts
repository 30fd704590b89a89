import type { UserId } from "../ids.js";
import { InMemory } from "../memory/in-memory.js";
import type { Contents, Message } from "../messages.js";
import type { RunParts } from "./run.js";
import type { LimitSource } from "./run-admission.js";
import { ToolScope } from "./tool-scope.js";

interface Beginning {
  readonly messages: readonly Message[];
  /** Of their attachments. */
  readonly contents: Contents | undefined;
}

/**
 * What the runs of a conversation share that is kept nowhere: a memory of its own, which begins
 * with these messages, all of them for the model, and the tools that need no other memory.
 * @throws {AgnoChatError} `INVALID_MESSAGE`
 */
export function detachedParts(
  parts: RunParts,
  userId: UserId,
  { messages, contents }: Beginning,
): RunParts {
  const memory = new InMemory();
  memory.add(messages, userId, { contents });
  const tools = new Map([...parts.tools].filter(([, { needsMemory }]) => !needsMemory));
  const toolSpecs = parts.toolSpecs?.filter(({ name }) => tools.has(name));
  return {
    ...parts,
    ...{ memory, tools, toolSpecs: tools.size === 0 ? undefined : toolSpecs },
    limitSource: parts.limitSource && countedApart(parts.limitSource, memory),
    ...{ leaseSource: undefined, toolScope: new ToolScope() },
    ...{ historyLimit: Infinity, historyTokens: Infinity },
  };
}

/** What is used counts in the lasting memory, in trips of their own. */
function countedApart({ limits, counts }: LimitSource, memory: InMemory): LimitSource {
  return {
    limits,
    isApart: true,
    counts: {
      async admit(userId, { limit, ...admission }) {
        const { use } = await counts.admit(userId, { ...admission, limit: 0 });
        const read = memory.read(userId, { sessionId: admission.sessionId, limit });
        return use === undefined ? read : { ...read, use };
      },
      renew: (userId, runId) => counts.renew(userId, runId),
      settle: (userId, spent) => counts.settle(userId, spent),
    },
  };
}
