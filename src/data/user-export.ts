import { setImmediate as nextTurn } from "node:timers/promises";
import { AgnoChatError } from "../errors.js";
import { validateUserId } from "../ids.js";
import type { GetMessagesOptions, Memory, SessionOptions, SessionState } from "../memory/memory.js";
import type { StoredMessage } from "../messages.js";
import { safeJson } from "../safe-json.js";
import { createSanitiser } from "../sanitise.js";
import { headingOf, textOf } from "./export-markdown.js";
import { stepsThrough } from "./steps.js";

/** One JSON document, one JSON message a line, or Markdown to read. */
export const EXPORT_FORMATS = ["json", "jsonl", "md"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const isExportFormat = (name: unknown): name is ExportFormat =>
  EXPORT_FORMATS.some((format) => format === name);

export interface ExportOptions extends SessionOptions {
  /** Default: `json`. */
  readonly format?: ExportFormat | undefined;
  /** What the JSON document begins with. Default: `{ user, session }`, a null session meaning all of them. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What is kept of one user, or of one of their sessions, as text in pieces for one reader: `for await (const text of …)`.
 * It takes the memory of one piece however long the history is, and is safe for a terminal.
 *
 * - `json`: `{ user, session, messages, state }`, messages oldest first, `state` by session.
 * - `jsonl`: one message a line.
 * - `md`: the messages, to read.
 *
 * It holds the messages there were when reading began and the state there is when it ends.
 * @throws {AgnoChatError} `HISTORY_CLEARED` when messages were deleted meanwhile; what the memory failed with
 */
export class UserExport implements AsyncIterable<string> {
  readonly #memory: Memory;
  readonly #userId: string;
  readonly #options: ExportOptions;
  #messages = 0;

  /** @throws {AgnoChatError} `INVALID_USER_ID` */
  constructor(memory: Memory, userId: string, options: ExportOptions = {}) {
    this.#memory = memory;
    this.#userId = validateUserId(userId);
    this.#options = options;
  }

  /** How many messages were read so far. */
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
    // It goes out with the first page, so that a memory that fails at once leaves nothing behind.
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
    let title = headingOf(this.#userId, this.#options.sessionId);
    for await (const page of this.#pages()) {
      yield sanitiser.write(title + page.map(textOf).join(""));
      title = "";
    }
    const rest = sanitiser.write(title) + sanitiser.end();
    if (rest !== "") yield rest;
  }

  /** The messages there are now, in pages. What is added meanwhile is not among them, so no run is there in part. */
  async *#pages(): AsyncGenerator<readonly StoredMessage[], void, undefined> {
    const { sessionId, signal } = this.#options;
    const read = (options: GetMessagesOptions) =>
      this.#memory.getMessages(this.#userId, { ...options, sessionId });
    this.#messages = 0;
    // Counted first: what is added before the newest is looked up can only make them more.
    const least = await this.#memory.size(this.#userId, { sessionId });
    const [newest] = await read({ limit: 1 });
    for await (const page of stepsThrough(read, { after: 0, before: (newest?.id ?? 0) + 1 })) {
      signal?.throwIfAborted();
      this.#messages += page.length;
      yield page;
    }
    if (this.#messages < least) throw deletedMeanwhile(this.#userId);
  }

  /** Only of sessions with something in it. */
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

const deletedMeanwhile = (userId: string): AgnoChatError =>
  new AgnoChatError(
    "HISTORY_CLEARED",
    `Messages of ${JSON.stringify(userId)} were deleted while they were being exported.`,
    { hint: "Export again to get what is left." },
  );
