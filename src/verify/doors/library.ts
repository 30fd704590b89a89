import type { Agent } from "../../agent/agent.js";
import type { RunOutput } from "../../agent/events.js";
import type { ExportFormat } from "../../data/export-options.js";
import { importHistory } from "../../data/import/import-history.js";
import { sessionPages } from "../../data/session-pages.js";
import { asRecord, parseJson } from "../../json.js";
import { countsOf } from "../../memory/counts.js";
import type { Memory, SearchResult, SessionState, SessionWithState } from "../../memory/memory.js";
import type { Message } from "../../messages.js";
import type { ModelRequest } from "../../models/model.js";
import type { Whose } from "../finding.js";
import { PLANTED_WORD } from "../ledger.js";
import type { Clearer, Door, Doors, Editor, Outgoing, Reader } from "./door.js";
import { withoutRepeatedPictures } from "./pictures.js";

/** The parts of an agent that a check uses. */
export type VerifiedAgent = Pick<Agent, "run" | "stream" | "forUser" | "context">;

/** The ways in of a program that uses the library. */
export const libraryDoors = (agent: VerifiedAgent, memory: Memory): Doors => ({
  doors: [...agentDoors(agent), ...viewDoors(agent)],
  readers: [...memoryReaders(memory), ...agentReaders(agent), ...viewReaders(agent, memory)],
  clearers: clearers(agent, memory),
  editors: editors(agent, memory),
  attacks: [],
  forgeries: [],
});

const agentDoors = (agent: VerifiedAgent): readonly Door[] => [
  {
    name: "agent.run",
    send: async ({ userId, sessionId, text, onAnswer }, signal) =>
      replyOf(await agent.run(text, { userId, sessionId, signal }), onAnswer),
  },
  {
    name: "agent.stream",
    send: ({ userId, sessionId, text, onAnswer }, signal) =>
      textOf(agent.stream(text, { userId, sessionId, signal }), onAnswer),
  },
];

const viewDoors = (agent: VerifiedAgent): readonly Door[] => [
  {
    name: "view.run",
    send: async ({ userId, sessionId, text, onAnswer }, signal) =>
      replyOf(await agent.forUser(userId).run(text, { sessionId, signal }), onAnswer),
  },
  {
    name: "view.stream",
    send: ({ userId, sessionId, text, onAnswer }, signal) =>
      textOf(agent.forUser(userId).stream(text, { sessionId, signal }), onAnswer),
  },
];

function replyOf(output: RunOutput, onAnswer: Outgoing["onAnswer"]): string {
  onAnswer?.(JSON.stringify(output));
  return output.content;
}

async function textOf(
  stream: ReturnType<VerifiedAgent["stream"]>,
  onAnswer: Outgoing["onAnswer"],
): Promise<string> {
  let text = "";
  for await (const event of stream) {
    onAnswer?.(JSON.stringify(event));
    if (event.type === "text-delta") text += event.text;
  }
  return text;
}

const memoryReaders = (memory: Memory): readonly Reader[] => [
  {
    name: "memory.read",
    async read({ userId, sessionId }) {
      const { messages, state } = await memory.read(userId, { sessionId });
      return { messages, state };
    },
  },
  {
    name: "memory.getMessages",
    read: async ({ userId, sessionId }) => ({
      messages: await memory.getMessages(userId, { sessionId }),
    }),
  },
  {
    name: "memory.getMessages of all sessions",
    ofUser: true,
    read: async ({ userId }) => ({ allMessages: await memory.getMessages(userId) }),
  },
  ...searchReaders(memory),
  {
    name: "memory.getState",
    read: async ({ userId, sessionId }) => ({
      state: await memory.getState(userId, { sessionId }),
    }),
  },
  {
    name: "memory.size",
    read: async ({ userId, sessionId }) => ({ count: await memory.size(userId, { sessionId }) }),
  },
  {
    name: "memory.counts",
    read: async ({ userId, sessionId }) => ({
      count: (await countsOf(memory, userId, { sessionId })).messages,
    }),
  },
  {
    name: "memory.sessions",
    ofUser: true,
    read: async ({ userId }) => ({
      sessions: (await memory.sessions(userId)).map(({ sessionId }) => sessionId),
    }),
  },
  {
    name: "memory.sessionsById page by page",
    ofUser: true,
    read: ({ userId, sessionId }) => readPages(sessionPages(memory, userId), sessionId),
  },
];

/** The names of all sessions, and the state of one. */
async function readPages(
  pages: AsyncIterable<readonly SessionWithState[]>,
  sessionId: string,
): Promise<{ sessions: string[]; state: SessionState }> {
  const sessions: SessionWithState[] = [];
  for await (const page of pages) sessions.push(...page);
  const own = sessions.find((session) => session.sessionId === sessionId);
  return { sessions: sessions.map((session) => session.sessionId), state: own?.state ?? {} };
}

/** A memory of another kind may have none. */
const searchReaders = (memory: Memory): readonly Reader[] =>
  memory.search === undefined
    ? []
    : [
        {
          name: "memory.search",
          read: async ({ userId, sessionId }) => ({
            found: textFound(
              await memory.search?.(PLANTED_WORD, userId, { sessionId, limit: 1000 }),
            ),
          }),
        },
      ];

const textFound = (result: SearchResult | undefined): string =>
  (result?.hits ?? []).flatMap(({ excerpt }) => excerpt.map(({ text }) => text)).join(" ");

const agentReaders = (agent: VerifiedAgent): readonly Reader[] => [
  {
    name: "agent.context",
    read: async ({ userId, sessionId }) => ({
      messages: spoken(await agent.context({ userId, sessionId })),
    }),
  },
];

/** System messages belong to no user. */
const spoken = ({ messages }: ModelRequest): readonly Message[] =>
  messages.filter(({ role }) => role !== "system");

const viewReaders = (agent: VerifiedAgent, memory: Memory): readonly Reader[] => [
  ...(memory.search === undefined ? [] : [viewSearch(agent)]),
  {
    name: "view.context",
    read: async ({ userId, sessionId }) => ({
      messages: spoken(await agent.forUser(userId).context({ sessionId })),
    }),
  },
  {
    name: "view.history",
    read: async ({ userId, sessionId }) => ({
      messages: await agent.forUser(userId).history({ sessionId }),
    }),
  },
  {
    name: "view.size",
    read: async ({ userId, sessionId }) => ({
      count: await agent.forUser(userId).size({ sessionId }),
    }),
  },
  {
    name: "view.counts",
    read: async ({ userId, sessionId }) => ({
      count: (await agent.forUser(userId).counts({ sessionId })).messages,
    }),
  },
  {
    name: "view.state",
    read: async ({ userId, sessionId }) => ({
      state: await agent.forUser(userId).state({ sessionId }),
    }),
  },
  {
    name: "view.sessions",
    ofUser: true,
    read: async ({ userId }) => ({
      sessions: (await agent.forUser(userId).sessions()).map(({ sessionId }) => sessionId),
    }),
  },
  {
    name: "view.sessionsById page by page",
    ofUser: true,
    read: ({ userId, sessionId }) => readPages(agent.forUser(userId).sessionsById(), sessionId),
  },
  {
    name: "view.export json",
    async read(whose) {
      const { state, ...rest } = asRecord(parseJson(await exported(agent, whose, "json")));
      // Tools may keep in it what the messages hold as well.
      const ofSession = asRecord(asRecord(state)[whose.sessionId]) as SessionState;
      return { document: JSON.stringify(rest), state: ofSession };
    },
  },
  ...(["jsonl", "md", "html", "openai"] as const).map((format) => ({
    name: `view.export ${format}`,
    read: async (whose: Whose) => ({ document: await exported(agent, whose, format) }),
  })),
];

const viewSearch = (agent: VerifiedAgent): Reader => ({
  name: "view.search",
  read: async ({ userId, sessionId }) => ({
    found: textFound(await agent.forUser(userId).search(PLANTED_WORD, { sessionId, limit: 1000 })),
  }),
});

async function exported(
  agent: VerifiedAgent,
  { userId, sessionId }: Whose,
  format: ExportFormat,
): Promise<string> {
  let document = "";
  for await (const piece of agent.forUser(userId).export({ sessionId, format })) document += piece;
  return withoutRepeatedPictures(document);
}

const clearers = (agent: VerifiedAgent, memory: Memory): readonly Clearer[] => [
  {
    name: "view.clear",
    clear: (userId, sessionId) => agent.forUser(userId).clear({ sessionId }),
  },
  // As another process does it.
  {
    name: "memory.clear",
    memoryOnly: true,
    clear: async (userId, sessionId) => memory.clear(userId, { sessionId }),
  },
];

/** A memory of another kind may have none. */
function editors(agent: VerifiedAgent, memory: Memory): readonly Editor[] {
  const { edits } = memory;
  if (edits === undefined) return [];
  return [
    {
      name: "view.undo, view.fork and view.clearBefore",
      undo: ({ userId, sessionId }, runs) => agent.forUser(userId).undo({ sessionId, runs }),
      fork: ({ userId, sessionId }, to) => agent.forUser(userId).fork({ sessionId, to }),
      clearBefore: ({ userId, sessionId }, before) =>
        agent.forUser(userId).clearBefore({ sessionId, before }),
    },
    // As another process does it.
    {
      name: "memory.edits and importHistory",
      undo: async ({ userId, sessionId }, runs) => edits.undo(userId, { sessionId, runs }),
      fork: async ({ userId, sessionId }, to) => edits.fork(userId, { sessionId, to }),
      clearBefore: async ({ userId, sessionId }, before) =>
        edits.clearBefore(userId, { sessionId, before }),
      async importAgain(whose, named) {
        let all = "";
        for await (const piece of agent.forUser(whose.userId).export()) all += piece;
        const document = JSON.parse(all);
        await this.undo(whose, 1);
        const text = JSON.stringify({ ...document, user: named });
        await importHistory(memory, whose.userId, [text], { format: "agno-chat" });
      },
    },
  ];
}
