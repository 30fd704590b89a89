import { setImmediate as nextTurn } from "node:timers/promises";
import { AgnoChatError } from "../errors.js";
import { type UserId, validateUserId } from "../ids.js";
import type { GetMessagesOptions, Memory, SessionOptions, SessionState } from "../memory/memory.js";
import type { StoredMessage } from "../messages.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { safeJson } from "../safe-json.js";
import { createSanitiser } from "../sanitise.js";
import { markdownMessage, markdownTitle } from "./export-markdown.js";
import { readBatches } from "./read-batches.js";

/** One JSON document, one JSON message per line, or readable Markdown. */
export const EXPORT_FORMATS = ["json", "jsonl", "md"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const isExportFormat = (name: unknown): name is ExportFormat =>
  EXPORT_FORMATS.some((format) => format === name);

export interface ExportOptions extends SessionOptions {
  /** Default: `json`. */
  readonly format?: ExportFormat | undefined;
  /** First fields of the JSON document. Default: `{ user, session }`; null means all sessions. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** Makes the export throw the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const KEYS: KnownKeys<ExportOptions> = {
  sessionId: true,
  format: true,
  fields: true,
  signal: true,
};

/**
 * Everything stored for one user, or for one of their sessions, as text in chunks:
 * `for await (const text of …)`. It never holds more than one chunk, however long the history is,
 * and its text is safe for a terminal.
 *
 * - `json`: `{ user, session, messages, state }`, messages oldest first, `state` by session.
 * - `jsonl`: one message per line.
 * - `md`: the messages as readable Markdown.
 *
 * Contains the messages that existed when reading began, and the state at its end.
 * @example
 * const memory = new InMemory();
 * memory.add([userMessage("Hi"), assistantMessage("Hello")], "alice");
 * for await (const text of new UserExport(memory, "alice", { format: "md" }))
 *   process.stdout.write(text);
 * @throws {AgnoChatError} `HISTORY_CLEARED` if messages were deleted meanwhile, and the errors of
 * the memory
 */
export class UserExport implements AsyncIterable<string> {
  readonly #memory: Memory;
  readonly #userId: UserId;
  readonly #options: ExportOptions;
  #messages = 0;

  /** @throws {AgnoChatError} `INVALID_USER_ID`, or `USAGE` for an unknown option */
  constructor(memory: Memory, userId: string, options: ExportOptions = {}) {
    refuseUnknownKeys(options, KEYS, "An export");
    this.#memory = memory;
    this.#userId = validateUserId(userId);
    this.#options = options;
  }

  /** The number of messages read so far. */
  get messages(): number {
    return this.#messages;
  }

  [Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    const { format = "json" } = this.#options;
    if (format === "md") return this.#markdown();
    return format === "jsonl" ? this.#jsonLines() : this.#json();
  }

  async *#json(): AsyncGenerator<string, void, undefined> {
    const { fields = { user: this.#userId, session: this.#options.sessionId ?? null } } =
      this.#options;
    // Sent with the first page, so that a memory that fails at once has no output.
    let opening = `${safeJson(fields).slice(0, -1)},"messages":[`;
    let comma = "";
    for await (const page of this.#pages()) {
      yield opening + comma + page.map(safeJson).join(",");
      opening = "";
      comma = ",";
    }
    yield `${opening}],"state":{`;
    comma = "";
    for await (const [sessionId, state] of this.#states()) {
      yield `${comma}${safeJson(sessionId)}:${safeJson(state)}`;
      comma = ",";
    }
    yield "}}\n";
  }

  async *#jsonLines(): AsyncGenerator<string, void, undefined> {
    for await (const page of this.#pages())
      yield page.map((message) => `${safeJson(message)}\n`).join("");
  }

  async *#markdown(): AsyncGenerator<string, void, undefined> {
    const sanitiser = createSanitiser();
    let title = markdownTitle(this.#userId, this.#options.sessionId);
    for await (const page of this.#pages()) {
      yield sanitiser.write(title + page.map(markdownMessage).join(""));
      title = "";
    }
    const rest = sanitiser.write(title) + sanitiser.end();
    if (rest !== "") yield rest;
  }

  /** Leaves out messages that are added meanwhile, so that no run is included in part. */
  async *#pages(): AsyncGenerator<readonly StoredMessage[], void, undefined> {
    const { sessionId, signal } = this.#options;
    const read = (options: GetMessagesOptions) =>
      this.#memory.getMessages(this.#userId, { ...options, sessionId });
    this.#messages = 0;
    // Counted first: messages added before `newest` is read can only increase the count.
    const least = await this.#memory.size(this.#userId, { sessionId });
    const [newest] = await read({ limit: 1 });
    for await (const page of readBatches(read, { after: 0, before: (newest?.id ?? 0) + 1 })) {
      signal?.throwIfAborted();
      this.#messages += page.length;
      yield page;
    }
    if (this.#messages < least) throw deletedMeanwhile(this.#userId);
  }

  /** Leaves out sessions whose state is empty. */
  async *#states(): AsyncGenerator<readonly [string, SessionState], void, undefined> {
    const { sessionId: only, signal } = this.#options;
    for (const { sessionId } of await this.#memory.sessions(this.#userId)) {
      signal?.throwIfAborted();
      if (only !== undefined && sessionId !== only) continue;
      const state = await this.#memory.getState(this.#userId, { sessionId });
      if (Object.keys(state).length > 0) yield [sessionId, state];
      await nextTurn();
    }
  }
}

const deletedMeanwhile = (userId: UserId): AgnoChatError =>
  new AgnoChatError(
    "HISTORY_CLEARED",
    `Messages of ${JSON.stringify(userId)} were deleted while they were being exported.`,
    { hint: "Export again to get what is left." },
  );
