import type { TokenInfo } from "../../memory/memory.js";
import type { Context } from "../command-context.js";
import { withMemory } from "../open-agent.js";
import { tokensOf } from "./token.js";

/** Should it be killed, they end by themselves. */
const LONGEST_MS = 3_600_000;

/** Gives each user a token of the store in the settings, and revokes them all after the work. */
export const withTokens = <T>(
  context: Context,
  users: readonly string[],
  work: (tokenOf: (userId: string) => string) => Promise<T>,
): Promise<T> =>
  withMemory(context, async (memory) => {
    const tokens = tokensOf(memory);
    const given = new Map<string, string>();
    const made: TokenInfo[] = [];
    try {
      for (const userId of users) {
        const options = { label: "agno-chat verify", expiresIn: LONGEST_MS };
        const { token, ...info } = await tokens.create(userId, options);
        made.push(info);
        given.set(userId, token);
      }
      return await work((userId) => given.get(userId) ?? "");
    } finally {
      for (const { tokenId } of made) await tokens.revoke(tokenId);
    }
  });
