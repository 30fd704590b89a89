import type { UserId } from "../../ids.js";
import type { HttpAnswer, HttpCall, HttpClient } from "./http-client.js";
import type { Tokens } from "./tokens.js";

/** An answer with a status of 400 or more. */
export class HttpFailure extends Error {
  readonly answer: HttpAnswer;

  constructor(answer: HttpAnswer) {
    super(`The server answered ${answer.status}.`);
    this.answer = answer;
  }
}

/** The answer does not belong to what was asked. */
export class WrongAnswer extends Error {}

/** Requests to our own server as a user. */
export class ServerApi {
  /** The latest A2A task of each user. */
  readonly tasks = new Map<UserId, string>();
  /** The latest response of each user. */
  readonly responses = new Map<UserId, string>();
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
  async ask(userId: UserId | undefined, call: HttpCall): Promise<HttpAnswer> {
    const token = userId === undefined ? {} : { authorization: this.#tokens.headerOf(userId) };
    const answer = await this.#client.send({ ...call, headers: { ...token, ...call.headers } });
    if (answer.status >= 400) throw new HttpFailure(answer);
    return answer;
  }
}

/** @throws {WrongAnswer} when the answer names somebody else */
export function refuseOther(named: unknown, userId: UserId): void {
  if (named !== userId) throw new WrongAnswer("The answer names another user.");
}
