import { AgnoChatError } from "../../errors.js";
import type { UserId } from "../../ids.js";
import type { Memory, TokenInfo, Tokens } from "../../memory/memory.js";
import type { Context } from "../command-context.js";
import { requireConfirmation } from "../confirm.js";
import { parseDuration } from "../duration.js";
import { localTime } from "../local-time.js";
import { withMemory } from "../open-agent.js";
import { namedUser } from "../settings/settings.js";
import { refuseSubcommand } from "../subcommands.js";
import { count } from "../words.js";

export interface CreateTokenOptions {
  readonly label?: string;
  readonly expires?: string;
}

/** `token` without a known command. */
export async function token(_context: Context, [word]: string[]): Promise<void> {
  refuseSubcommand("token", ["create", "list", "revoke"], word);
}

/** `token create --user ID`: prints the token on stdout, this once. */
export async function createToken(
  context: Context,
  _args: string[],
  { label, expires }: CreateTokenOptions,
): Promise<void> {
  const { options, output } = context;
  const user = namedUser(context.settings);
  if (user === undefined)
    throw new AgnoChatError("USAGE", "A token is for one user, but none is named.", {
      hint: "For example: agno-chat token create --user alice.",
    });
  const expiresIn = expires === undefined ? undefined : parseDuration(expires, "--expires");
  const created = await withMemory(context, (memory) =>
    tokensOf(memory).create(user, { label, expiresIn }),
  );
  if (options.json) return output.document({ ok: true, token: created.token, ...shown(created) });
  output.write(`${created.token}\n`);
  const end =
    created.expiresAt === undefined ? "for ever" : `until ${localTime(created.expiresAt)}`;
  output.note(`Token ${created.tokenId} of ${user}, valid ${end}. It is not shown again.`);
}

/** `token list`: of everybody, or of the user that `--user` names. */
export async function listTokens(context: Context): Promise<void> {
  const { options, output } = context;
  const found = await withMemory(context, (memory) =>
    tokensOf(memory).list(namedUser(context.settings)),
  );
  if (options.json) return output.document({ ok: true, tokens: found.map(shown) });
  if (found.length === 0) return output.note("There are no tokens.");
  const heads = ["id", "user", "label", "created", "expires", "last used"];
  output.table([heads, ...found.map(cellsOf)]);
}

/** `token revoke ID`, or with `--user` all tokens of that user. */
export async function revokeToken(context: Context, [id]: string[]): Promise<void> {
  const user = namedUser(context.settings);
  await withMemory(context, async (memory) => {
    const tokens = tokensOf(memory);
    if (id !== undefined && user === undefined) return revokeOne(context, tokens, id);
    if (id === undefined && user !== undefined) return revokeAll(context, tokens, user);
    throw new AgnoChatError("USAGE", "token revoke takes the id of a token, or --user.", {
      hint: SEE_LIST,
    });
  });
}

const SEE_LIST = "See agno-chat token list.";

async function revokeOne(context: Context, tokens: Tokens, id: string): Promise<void> {
  if (await tokens.revoke(id)) return report(context, 1);
  throw new AgnoChatError("USAGE", `There is no token ${JSON.stringify(id)}.`, { hint: SEE_LIST });
}

async function revokeAll(context: Context, tokens: Tokens, user: UserId): Promise<void> {
  const found = await tokens.list(user);
  if (found.length > 0)
    await requireConfirmation(context, `Revoke ${count(found.length, "token")} of ${user}?`);
  for (const { tokenId } of found) await tokens.revoke(tokenId);
  report(context, found.length);
}

function report({ options, output }: Context, revoked: number): void {
  if (options.json) output.document({ ok: true, revoked });
  else output.note(`Revoked ${count(revoked, "token")}.`);
}

function cellsOf({ tokenId, userId, label = "-", ...times }: TokenInfo): string[] {
  const cell = (time: string | undefined) => (time === undefined ? "-" : localTime(time));
  const { createdAt, expiresAt, lastUsedAt } = times;
  return [tokenId, userId, label, cell(createdAt), cell(expiresAt), cell(lastUsedAt)];
}

const shown = ({ tokenId: id, userId: user, ...rest }: TokenInfo) => ({
  ...{ id, user, label: rest.label ?? null, createdAt: rest.createdAt },
  expiresAt: rest.expiresAt ?? null,
  lastUsedAt: rest.lastUsedAt ?? null,
});

/** @throws {AgnoChatError} `USAGE` for a memory without tokens */
export function tokensOf({ tokens }: Memory): Tokens {
  if (tokens !== undefined) return tokens;
  throw new AgnoChatError("USAGE", "This store keeps no tokens.", {
    hint: "Use sqlite:PATH or postgres://….",
  });
}
