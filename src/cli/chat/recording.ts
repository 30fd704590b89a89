import { closeSync, openSync, writeSync } from "node:fs";
import { type AgnoChatError, ERROR_TABLE } from "../../errors.js";
import { DEFAULT_SESSION_ID, type SessionId, type UserId } from "../../ids.js";
import { isBuiltIn } from "../../models/open-model.js";
import { sanitise } from "../../sanitise.js";
import type { Recorder, Repl, Take, TakenCommand, TakenMessage } from "./repl.js";
import type { Speaker } from "./screen.js";
import { messageLines, withoutVariables } from "./script-text.js";

/** What is known of one session: enough to say what a reply must contain in another run. */
interface Heard {
  /** All of the session is in the script, so a model that always answers alike does again. */
  isWhole: boolean;
  /** Names in the messages, in the order in which they came. */
  readonly names: Set<string>;
}

/**
 * Writes a chat as a script with expectations, an input at a time, once it has ended. Who speaks is
 * written when somebody else does, so that a reply that comes after a switch is still said by the
 * right user, and what a user did before is not in it.
 */
export class Recording implements Recorder {
  readonly path: string;
  #inputs = 0;
  readonly #file: number;
  readonly #heard = new Map<UserId, Map<SessionId, Heard>>();
  /** Who speaks at the end of the script, and the session in which it left each user. */
  #speaking: UserId | undefined;
  readonly #sessions = new Map<UserId, SessionId>();

  /**
   * Makes the file, which only its owner can read.
   * @throws an error of the system, `EEXIST` if there is one already
   */
  constructor(path: string, { parts: { model, toolkits } }: Repl) {
    this.path = path;
    this.#file = openSync(path, "wx", 0o600);
    const tools = toolkits.map(({ name }) => name).join(",");
    const flags = `--model ${model.name}${tools === "" ? "" : ` --tools ${tools}`}`;
    this.#write(`# Recorded in a chat. To run it: agno-chat run FILE ${sanitise(flags)}`);
  }

  /** How many messages and commands it has. */
  get inputs(): number {
    return this.#inputs;
  }

  /** Begins to listen to one message and its reply. */
  async take(repl: Repl, message: TakenMessage): Promise<Take> {
    const { speaker, text, isRetry } = message;
    const heard = await this.#heardOf(repl, speaker);
    const { model, toolkits } = repl.parts;
    const answersAlike = isBuiltIn(model.name) && !toolkits.some(({ name }) => name === "clock");
    let reply = "";
    return {
      hear: (part) => {
        reply += part;
      },
      end: () => {
        for (const name of namesIn(text)) heard.names.add(name);
        const expected =
          answersAlike && heard.isWhole ? exactly(reply) : conservatively(reply, heard.names);
        this.#input(speaker, isRetry ? ["/retry"] : messageLines(text), expected);
      },
      fail: (error) => {
        heard.isWhole = false;
        const lines = isRetry ? ["/retry"] : messageLines(text);
        this.#failed(speaker, { lines, what: "a message", error });
      },
    };
  }

  /** Writes a command that has ended. */
  async did(repl: Repl, { name, argument, speaker }: TakenCommand): Promise<void> {
    if (isLeftOut(name, argument)) return;
    if (name === "clear" && !(await this.#cleared(repl, { argument, speaker }))) return;
    if (name !== "fork") return this.#input(speaker, [commandLine(name, argument)]);
    const { sessionId } = repl.speakerOf(speaker.userId);
    this.#input(speaker, [commandLine(name, sessionId)]);
    this.#sessions.set(speaker.userId, sessionId);
  }

  /** Writes a command that has failed. */
  failed({ name, argument, speaker }: TakenCommand, error: AgnoChatError): void {
    if (isLeftOut(name, argument)) return;
    const lines = [commandLine(name, argument)];
    this.#failed(speaker, { lines, what: `/${name}`, error });
  }

  end(): void {
    closeSync(this.#file);
  }

  async #heardOf(repl: Repl, { userId, sessionId }: Speaker): Promise<Heard> {
    const sessions = this.#heard.get(userId) ?? new Map<SessionId, Heard>();
    this.#heard.set(userId, sessions);
    const known = sessions.get(sessionId);
    if (known !== undefined) return known;
    const isWhole = (await repl.memory.size(userId, { sessionId })) === 0;
    const heard = { isWhole, names: new Set<string>() };
    sessions.set(sessionId, heard);
    return heard;
  }

  /** Whether there is nothing any more: who was asked may have said no. */
  async #cleared(repl: Repl, { argument, speaker }: Omit<TakenCommand, "name">): Promise<boolean> {
    const { userId, sessionId } = speaker;
    const scope = argument === "session" ? { sessionId } : {};
    if ((await repl.viewOf(speaker).size(scope)) > 0) return false;
    if (argument === "session") this.#heard.get(userId)?.delete(sessionId);
    else this.#heard.delete(userId);
    return true;
  }

  /** A wrong command fails again; what a model or the network did is no part of a script. */
  #failed(
    speaker: Speaker,
    { lines, what, error }: { lines: readonly string[]; what: string; error: AgnoChatError },
  ): void {
    const failsAgain = ERROR_TABLE[error.code].exit === ERROR_TABLE.USAGE.exit;
    if (failsAgain) this.#input(speaker, lines, [`?fails ${error.code}`]);
    else this.#write(`# Left out: ${what} of ${speaker.userId} that ended with ${error.code}.`);
  }

  #input({ userId, sessionId }: Speaker, lines: readonly string[], expected = NOTHING): void {
    const all: string[] = [];
    if (this.#speaking !== userId) all.push("", commandLine("user", userId));
    if ((this.#sessions.get(userId) ?? DEFAULT_SESSION_ID) !== sessionId)
      all.push(commandLine("session", sessionId));
    this.#speaking = userId;
    this.#sessions.set(userId, sessionId);
    this.#inputs++;
    this.#write(...all, ...lines, ...expected);
  }

  #write(...lines: readonly string[]): void {
    writeSync(this.#file, lines.map((line) => `${line}\n`).join(""));
  }
}

const NOTHING: readonly string[] = [];

/** Commands that say who speaks, that send a message, or that only a terminal has. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  ...["user", "session", "new", "as", "retry"],
  ...["record", "help", "exit", "edit", "copy"],
]);

/** A command of several lines cannot be written on one; a file that is exported exists then. */
const isLeftOut = (name: string, argument: string): boolean =>
  LEFT_OUT.has(name) || argument.includes("\n") || (name === "export" && argument !== "");

const commandLine = (name: string, argument: string): string =>
  `/${name} ${withoutVariables(argument)}`.trimEnd();

/** The whole reply, line by line. */
function exactly(reply: string): readonly string[] {
  const rows = rowsOf(reply);
  const word = rows.length === 1 ? "?equals" : "?contains";
  return rows.map((row) => `${word} ${withoutVariables(row)}`);
}

/** How much of a reply is written as a comment, and how many names are expected in it, at most. */
const MOST_ROWS = 10;
const MOST_NAMES = 2;

/**
 * The reply as comments, and names from the user's own messages that came back in it: another
 * answer to the same question has those most likely.
 */
function conservatively(reply: string, names: ReadonlySet<string>): readonly string[] {
  const rows = rowsOf(sanitise(reply));
  const shown = rows.slice(0, MOST_ROWS).map((row) => `# ${row}`);
  const cut = rows.length > MOST_ROWS ? ["# …"] : [];
  const said = new Set(reply.match(/[\p{L}\p{M}\p{N}]+/gu));
  const back = [...names].filter((name) => said.has(name)).slice(0, MOST_NAMES);
  return [...shown, ...cut, ...back.map((name) => `?contains ${name}`)];
}

const rowsOf = (text: string): string[] =>
  text
    .split("\n")
    .map((row) => row.trim())
    .filter((row) => row !== "");

/** Words with a capital that do not begin a sentence. */
const namesIn = (text: string): readonly string[] =>
  text.match(/(?<=[\p{L}\p{N},;:] )\p{Lu}[\p{L}\p{M}]+/gu) ?? [];
