import { AgnoChatError } from "../errors.js";
import { validateUserId } from "../ids.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { durationOf } from "./arguments.js";
import { storeClosed } from "./failures.js";
import type { TokenInfo, TokenOptions, Tokens } from "./memory.js";
import type { StoreTokens, TokenRow } from "./store.js";

const TOKEN_KEYS: KnownKeys<TokenOptions> = { label: true, expiresIn: true };

/** Secret scanners know a token by its beginning. */
const FORM = /^agnochat_([0-9a-f]{16})_([\w-]{43})$/;

/** A use is noted once in this time, so that requests do not become writes. */
const NOTED_EVERY_MS = 60_000;

const MAX_LABEL = 100;

interface TokensContext {
  readonly now: () => number;
  readonly isClosed: () => boolean;
}

/** The tokens of a store, for a memory over it. */
export function tokensOf(store: StoreTokens, { now, isClosed }: TokensContext): Tokens {
  const refuseClosed = (): void => {
    if (isClosed()) throw storeClosed();
  };
  const isLive = ({ expiresAt }: TokenRow): boolean => expiresAt === undefined || now() < expiresAt;
  return {
    async create(userId, options = {}) {
      refuseClosed();
      refuseUnknownKeys(options, TOKEN_KEYS, "A token");
      const { randomBytes } = await import("node:crypto");
      const secret = randomBytes(32).toString("base64url");
      const tokenId = randomBytes(8).toString("hex");
      const createdAt = now();
      const row: TokenRow = {
        tokenId,
        userId: validateUserId(userId),
        hash: await hashOf(secret),
        label: labelOf(options.label),
        createdAt,
        expiresAt: expiryOf(options.expiresIn, createdAt),
        lastUsedAt: undefined,
      };
      await store.insert(row);
      return { token: `agnochat_${tokenId}_${secret}`, ...infoOf(row) };
    },

    async list(userId) {
      refuseClosed();
      const rows = await store.list(userId === undefined ? undefined : validateUserId(userId));
      return rows.map(infoOf);
    },

    async revoke(tokenId) {
      refuseClosed();
      return store.delete(tokenId);
    },

    async check(token) {
      refuseClosed();
      const [, tokenId, secret] = FORM.exec(token) ?? [];
      if (tokenId === undefined || secret === undefined) return undefined;
      const row = await store.find(tokenId);
      // An unknown id is compared, too, so that it takes as long as a wrong secret.
      const isRight = await isHashOf(secret, row?.hash ?? NO_HASH);
      if (row === undefined || !isRight || !isLive(row)) return undefined;
      const time = now();
      if (time - (row.lastUsedAt ?? 0) >= NOTED_EVERY_MS) void noteUse(store, tokenId, time);
      return infoOf(row);
    },

    async isValid(tokenId) {
      refuseClosed();
      const row = await store.find(tokenId);
      return row !== undefined && isLive(row);
    },
  };
}

/** Not awaited, and its failure only misses in the list: the request must not wait or fail. */
async function noteUse(store: StoreTokens, tokenId: string, time: number): Promise<void> {
  try {
    await store.noteUse(tokenId, time);
  } catch {
    // As above.
  }
}

const NO_HASH = "0".repeat(64);

async function hashOf(secret: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  return createHash("sha256").update(secret).digest("hex");
}

async function isHashOf(secret: string, hash: string): Promise<boolean> {
  const { timingSafeEqual } = await import("node:crypto");
  return timingSafeEqual(Buffer.from(await hashOf(secret)), Buffer.from(hash));
}

const infoOf = ({ tokenId, userId, label, ...times }: TokenRow): TokenInfo => ({
  tokenId,
  userId,
  ...(label === undefined ? {} : { label }),
  createdAt: new Date(times.createdAt).toISOString(),
  ...(times.expiresAt === undefined ? {} : { expiresAt: new Date(times.expiresAt).toISOString() }),
  ...(times.lastUsedAt === undefined
    ? {}
    : { lastUsedAt: new Date(times.lastUsedAt).toISOString() }),
});

/**
 * No control characters, halves of characters or line ends. Listed, since V8 reads patterns as it
 * loads a file, and would look for their Unicode classes in all of Unicode.
 */
const VISIBLE = /^[^\0-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]+$/u;

function labelOf(label: string | undefined): string | undefined {
  if (label === undefined) return undefined;
  if (
    typeof label === "string" &&
    VISIBLE.test(label) &&
    label.trim() === label &&
    label.length <= MAX_LABEL
  )
    return label;
  throw new AgnoChatError("INVALID_INPUT", "Invalid label of a token.", {
    hint: `Use 1–${MAX_LABEL} visible characters, such as laptop.`,
  });
}

/** JavaScript has no later time. */
const LAST_TIME = 8.64e15;

function expiryOf(expiresIn: number | undefined, createdAt: number): number | undefined {
  if (expiresIn === undefined || expiresIn === Infinity) return undefined;
  return Math.min(Math.ceil(createdAt + durationOf(expiresIn, "expiresIn")), LAST_TIME);
}
