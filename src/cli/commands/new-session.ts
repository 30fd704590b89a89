import type { UserView } from "../../agent/user-view.js";
import { validateSessionId } from "../../ids.js";
import { countsOf } from "../../memory/counts.js";
import type { Context } from "../command-context.js";
import { withMemory } from "../open-agent.js";
import { unusedSessionName } from "../session-name.js";

/** What `--new` needs; `ask` without it loads none of this. */
export const newSession = (agent: UserView): Promise<string> =>
  unusedSessionName((options) => agent.counts(options));

export async function inNewSession(context: Context): Promise<Context> {
  const { settings } = context;
  const name = await withMemory(context, (memory) =>
    unusedSessionName((options) => countsOf(memory, settings.values.user, options)),
  );
  const values = { ...settings.values, session: validateSessionId(name) };
  return { ...context, settings: { ...settings, values } };
}
