import { AgnoChatError } from "../errors.js";
import { type UserId, validateUserId } from "../ids.js";
import type { Tokens } from "../memory/memory.js";
import { bearerOf } from "./bearer.js";
import type { RequestContext } from "./request-context.js";
import type { TrustedProxies } from "./trusted-proxies.js";

/** How many wrong tokens an address may send in a minute before it is told to wait. */
const MOST_WRONG = 20;
const WINDOW_MS = 60_000;

/** The addresses remembered at most, so that many of them cannot fill the memory. */
const MOST_ADDRESSES = 10_000;

/** Lets in who holds a token of the memory. */
export class TokenGate {
  readonly #tokens: Tokens;
  readonly #proxies: TrustedProxies;
  readonly #wrong = new WrongTokens();

  constructor(tokens: Tokens, proxies: TrustedProxies) {
    this.#tokens = tokens;
    this.#proxies = proxies;
  }

  /**
   * A right token is let in however many wrong ones came from its address, which may be that of a
   * whole office.
   * @returns the user of the token
   * @throws {AgnoChatError} rejects with `UNAUTHENTICATED` or `TOO_MANY_ATTEMPTS`
   */
  async admit(context: RequestContext): Promise<UserId> {
    const { head } = context;
    const token = bearerOf(head);
    const info = token === undefined ? undefined : await this.#tokens.check(token);
    if (info === undefined) {
      const isGuess = head.headers.authorization !== undefined;
      if (isGuess && this.#wrong.isTooMany(this.#proxies.clientOf(head))) throw tooManyAttempts();
      throw unauthenticated();
    }
    context.tokenId = info.tokenId;
    return validateUserId(info.userId);
  }
}

/** Counts wrong tokens by address and minute. */
class WrongTokens {
  /** In the order of their first wrong token. */
  readonly #byAddress = new Map<string, { count: number; readonly until: number }>();

  /** Counts one more. */
  isTooMany(address: string): boolean {
    const now = performance.now();
    const known = this.#byAddress.get(address);
    if (known !== undefined && now < known.until) {
      known.count += 1;
      return known.count > MOST_WRONG;
    }
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { count: 1, until: now + WINDOW_MS });
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size > MOST_ADDRESSES && oldest) this.#byAddress.delete(oldest);
    return false;
  }
}

const unauthenticated = () =>
  new AgnoChatError("UNAUTHENTICATED", "This request needs a valid token.", {
    hint: "Send it as Authorization: Bearer TOKEN.",
  });

const tooManyAttempts = () =>
  new AgnoChatError("TOO_MANY_ATTEMPTS", "Too many wrong tokens came from this address.", {
    hint: "Wait a minute.",
  });
