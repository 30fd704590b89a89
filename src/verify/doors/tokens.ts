import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** A bearer token for each user, made when it is first needed. */
export class Tokens {
  readonly #headers = new Map<string, string>();
  readonly #users = new Map<string, string>();

  /** What a user sends as `Authorization`. */
  headerOf(userId: string): string {
    const known = this.#headers.get(userId);
    if (known !== undefined) return known;
    const header = `Bearer ${randomBytes(16).toString("base64url")}`;
    this.#headers.set(userId, header);
    this.#users.set(header, userId);
    return header;
  }

  /** The user of a request; null without a token that somebody has. */
  userOf({ headers }: Pick<IncomingMessage, "headers">): { userId: string } | null {
    const userId = this.#users.get(headers.authorization ?? "");
    return userId === undefined ? null : { userId };
  }
}
