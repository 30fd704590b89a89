import { InMemory } from "../../../src/memory/in-memory.js";
import type { Tokens } from "../../../src/memory/memory.js";
import type { ModelRequest } from "../../../src/models/model.js";
import { ScriptedModel } from "../../../src/testing/scripted-model.js";
import { Gate } from "../../agent/support.js";
import { type Served, type ServeOptions, serve } from "../support.js";

/** Lists everything that the user has said in the conversation, as the model is sent it. */
const heard = ({ messages }: ModelRequest): string =>
  messages.flatMap(({ role, content }) => (role === "user" ? content : [])).join(", ");

/** A model that tells what it has heard, in two pieces and with its usage. */
export const listener = (): ScriptedModel =>
  new ScriptedModel((request) => ({
    text: ["Heard: ", heard(request)],
    usage: { inputTokens: 3, outputTokens: 2 },
  }));

/** A model that answers nobody before that many wait for it, so that their runs overlap. */
export function overlapping(count: number): ScriptedModel {
  const all = new Gate();
  let waiting = 0;
  return new ScriptedModel(async (request) => {
    waiting += 1;
    if (waiting === count) all.open();
    await all.opened;
    return { text: ["Heard: ", heard(request)] };
  });
}

/** Whoever holds `key-of-NAME` is NAME. */
export const byKey: Pick<ServeOptions, "authenticate"> = {
  authenticate({ headers }) {
    const [, userId] = /^Bearer key-of-(\w+)$/.exec(headers.authorization ?? "") ?? [];
    return userId === undefined ? null : { userId };
  },
};

export interface ServedV1 extends Served {
  readonly baseURL: string;
  readonly memory: InMemory;
}

export async function serveV1({
  model = listener(),
  memory = new InMemory(),
  ...options
}: Omit<ServeOptions, "memory"> & { readonly memory?: InMemory } = {}): Promise<ServedV1> {
  const served = await serve({ model, memory, ...options });
  return { ...served, memory, baseURL: `${served.url}/v1` };
}

interface ServedWithTokens extends ServedV1 {
  /** The token of a user, which is the key of their client. */
  readonly keyOf: (userId: string) => string;
}

/** A server that lets these users in, each with a token. */
export async function serveWithTokens(
  users: readonly string[],
  model = listener(),
): Promise<ServedWithTokens> {
  const memory = new InMemory();
  const tokens = memory.tokens as Tokens;
  const served = await serveV1({ model, memory, tokens });
  const keys = new Map<string, string>();
  for (const userId of users) keys.set(userId, (await tokens.create(userId)).token);
  return { ...served, keyOf: (userId) => keys.get(userId) ?? "none" };
}

/** Twenty users. */
export const TWENTY = Array.from({ length: 20 }, (_, index) => `user${index}`);

/** What everybody says once, at once: `I am NAME`. */
export const introduction = (userId: string): string => `I am ${userId}`;
