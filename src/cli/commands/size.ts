import type { SessionInfo } from "../../memory/memory.js";
import type { Context } from "../context.js";
import { namedSession } from "../named-session.js";
import { withMemory } from "../open.js";
import { count } from "../words.js";

export interface Size {
  readonly messages: number;
  readonly runs: number;
  readonly bytes: number;
}

/** `size`: how much is kept of one user, in one session or in all. */
export async function size(context: Context): Promise<void> {
  const { options, output, settings } = context;
  const { user } = settings.values;
  const session = namedSession(settings);
  const total = await withMemory(context, async (memory) =>
    sizeOf(await memory.sessions(user), session),
  );
  if (options.json) output.document({ ok: true, user, session: session ?? null, ...total });
  else
    output.write(`${user}${session === undefined ? "" : ` in ${session}`}: ${sizeText(total)}\n`);
}

/** The size of one of these sessions, or of all of them. */
export function sizeOf(sessions: readonly SessionInfo[], sessionId: string | undefined): Size {
  const meant = sessions.filter(
    (session) => sessionId === undefined || session.sessionId === sessionId,
  );
  const sum = (key: keyof Size) => meant.reduce((total, session) => total + session[key], 0);
  return { messages: sum("messages"), runs: sum("runs"), bytes: sum("bytes") };
}

export const sizeText = ({ messages, runs, bytes }: Size): string =>
  `${count(messages, "message")} in ${count(runs, "run")}, ${count(bytes, "byte")}`;
