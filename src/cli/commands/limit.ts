import { AgnoChatError } from "../../errors.js";
import type { UserId } from "../../ids.js";
import { LIMIT_NAMES } from "../../memory/limits.js";
import type { LimitName, Limits } from "../../memory/memory.js";
import type { Context } from "../command-context.js";
import { limitsOf, withMemory } from "../open-agent.js";
import { namedUser } from "../settings/settings.js";
import { limitCount } from "../settings/settings-table.js";
import { refuseSubcommand } from "../subcommands.js";

export type SetLimitOptions = Readonly<Partial<Record<LimitName, string>>>;

const FLAGS: Readonly<Record<LimitName, string>> = {
  requestsPerMinute: "--requests-per-minute",
  runsAtOnce: "--runs-at-once",
  tokensPerDay: "--tokens-per-day",
  bytesKept: "--bytes-kept",
};

/** `limit` without a known command. */
export async function limit(_context: Context, [word]: string[]): Promise<void> {
  refuseSubcommand("limit", ["set", "list", "remove"], word);
}

/** `limit set --user ID`: limits of one user, at once on every server. */
export async function setLimits(
  context: Context,
  _args: string[],
  given: SetLimitOptions,
): Promise<void> {
  const { options, output } = context;
  const user = oneUser(context, "set");
  const limits = limitsIn(given);
  if (Object.keys(limits).length === 0)
    throw new AgnoChatError("USAGE", "No limit is given.", {
      hint: `Give one or more of ${LIMIT_NAMES.map((name) => FLAGS[name]).join(", ")}.`,
    });
  const own = await withMemory(context, async (memory) => {
    await limitsOf(memory).set(user, limits);
    const all = await limitsOf(memory).list();
    return all.find(({ userId }) => userId === user)?.limits ?? limits;
  });
  if (options.json) output.document({ ok: true, ...shown(user, own) });
  else output.note(`${user}: ${wordsOf(own)}.`);
}

/** `limit list`: users with limits of their own. */
export async function listLimits(context: Context): Promise<void> {
  const { options, output } = context;
  const found = await withMemory(context, async (memory) => limitsOf(memory).list());
  const rows = found.map(({ userId, limits }) => shown(userId, limits));
  if (options.json) return output.document({ ok: true, limits: rows });
  if (rows.length === 0) return output.note("No user has limits of their own.");
  const heads = ["user", "tokens a day", "requests a minute", "runs at once", "bytes kept"];
  output.table([heads, ...rows.map((row) => Object.values(row).map((cell) => `${cell ?? "-"}`))]);
}

/** `limit remove --user ID`: the user has the limits of everybody again. */
export async function removeLimits(context: Context): Promise<void> {
  const { options, output } = context;
  const user = oneUser(context, "remove");
  const had = await withMemory(context, async (memory) => limitsOf(memory).remove(user));
  if (!had)
    throw new AgnoChatError("USAGE", `${user} has no limits of their own.`, {
      hint: "See agno-chat limit list.",
    });
  if (options.json) output.document({ ok: true, user });
  else output.note(`${user} has the limits of everybody again.`);
}

function oneUser({ settings }: Context, command: string): UserId {
  const user = namedUser(settings);
  if (user !== undefined) return user;
  throw new AgnoChatError("USAGE", `limit ${command} is for one user, but none is named.`, {
    hint: `For example: agno-chat limit ${command} --user alice${command === "set" ? " --tokens-per-day 50000" : ""}.`,
  });
}

function limitsIn(given: SetLimitOptions): Limits {
  const entries = LIMIT_NAMES.flatMap((name) => {
    const text = given[name];
    return text === undefined ? [] : [[name, parsed(name, text)] as const];
  });
  return Object.fromEntries(entries);
}

function parsed(name: LimitName, text: string): number {
  try {
    return limitCount(text);
  } catch (thrown) {
    const { message } = thrown as Error;
    throw new AgnoChatError("USAGE", `${FLAGS[name]} ${JSON.stringify(text)} ${message}.`);
  }
}

const shown = (user: string, limits: Limits) => ({
  user,
  tokensPerDay: limits.tokensPerDay ?? null,
  requestsPerMinute: limits.requestsPerMinute ?? null,
  runsAtOnce: limits.runsAtOnce ?? null,
  bytesKept: limits.bytesKept ?? null,
});

const wordsOf = (limits: Limits): string =>
  LIMIT_NAMES.filter((name) => limits[name] !== undefined)
    .map((name) => `${FLAGS[name].slice(2).replaceAll("-", " ")} ${limits[name]}`)
    .join(", ");
