import type { HttpAnswer, HttpCall, HttpClient } from "./http-client.js";
import type { Tokens } from "./tokens.js";

/** An answer with a status of 400 or more. */
class HttpFailure extends Error {
  readonly status: number;

  constructor({ status }: HttpAnswer) {
    super(`The server answered ${status}.`);
    this.status = status;
  }
}

/** The answer does not belong to what was asked. */
export class WrongAnswer extends Error {}

/** Requests to our own server as a user. */
export class ServerApi {
  readonly #client: HttpClient;
  readonly #tokens: Tokens;

  constructor(client: HttpClient, tokens: Tokens) {
    this.#client = client;
    this.#tokens = tokens;
  }

  /**
   * Sends a request with the token of a user, or without one.
   * @throws {HttpFailure}
   */
  async ask(userId: string | undefined, call: HttpCall): Promise<HttpAnswer> {
    const token = userId === undefined ? {} : { authorization: this.#tokens.headerOf(userId) };
    const answer = await this.#client.send({ ...call, headers: { ...token, ...call.headers } });
    if (answer.status >= 400) throw new HttpFailure(answer);
    return answer;
  }
}

/** A path with its query; parameters that are undefined are left out. */
export function pathTo(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given as [string, string][])}`;
}

/** @throws {WrongAnswer} when the answer names somebody else */
export function refuseOther(named: unknown, userId: string): void {
  if (named !== userId) throw new WrongAnswer("The answer names another user.");
}
