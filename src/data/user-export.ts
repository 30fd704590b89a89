import { type UserId, validateUserId } from "../ids.js";
import type { Memory, SessionOptions } from "../memory/memory.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { checkPart, type LatestPart } from "./latest-part.js";

/**
 * One JSON document, one JSON message per line, readable Markdown, a page of HTML, or the messages
 * as OpenAI's chat.completions take them.
 */
export const EXPORT_FORMATS = ["json", "jsonl", "md", "html", "openai"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const isExportFormat = (name: unknown): name is ExportFormat =>
  EXPORT_FORMATS.some((format) => format === name);

export interface ExportOptions extends SessionOptions, LatestPart {
  /** Default: `json`. */
  readonly format?: ExportFormat | undefined;
  /** First fields of the JSON document. Default: `{ user, session }`; null means all sessions. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** Makes the export throw the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const KEYS: KnownKeys<ExportOptions> = {
  sessionId: true,
  since: true,
  last: true,
  format: true,
  fields: true,
  signal: true,
};

/**
 * Everything stored for one user, or for one of their sessions, as text in chunks:
 * `for await (const text of …)`. It never holds more than one chunk, however long the history is,
 * and its text is safe for a terminal.
 *
 * - `json`: `{ user, session, messages, state }`, messages oldest first, `state` by session. Each
 *   attachment has its `content`, in base64.
 * - `jsonl`: one message per line.
 * - `md`: the messages as readable Markdown, which opens with the user, the time and the model.
 * - `html`: the same as one page without scripts, links or other files, to read and to print.
 * - `openai`: a JSON array of chat.completions messages, tool calls included, to send on. It holds
 *   one session, so `sessionId` is needed if there are several.
 *
 * Contains the messages that existed when reading began, and the state at its end.
 * @example
 * const memory = new InMemory();
 * memory.add([userMessage("Hi"), assistantMessage("Hello")], "alice");
 * for await (const text of new UserExport(memory, "alice", { format: "md" }))
 *   process.stdout.write(text);
 * @throws {AgnoChatError} `HISTORY_CLEARED` if messages were deleted meanwhile, `USAGE` for
 *   `openai` of several sessions, and the errors of the memory
 */
export class UserExport implements AsyncIterable<string> {
  readonly #memory: Memory;
  readonly #userId: UserId;
  readonly #options: ExportOptions;
  #messages = 0;

  /** @throws {AgnoChatError} `INVALID_USER_ID`, or `USAGE` for an unknown or impossible option */
  constructor(memory: Memory, userId: string, options: ExportOptions = {}) {
    refuseUnknownKeys(options, KEYS, "An export");
    checkPart(options);
    this.#memory = memory;
    this.#userId = validateUserId(userId);
    this.#options = options;
  }

  /** How many messages have been exported so far. */
  get messages(): number {
    return this.#messages;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    const source = { memory: this.#memory, userId: this.#userId, options: this.#options };
    const { ExportPieces } = await import("./export-pieces.js");
    yield* new ExportPieces(source, (messages) => {
      this.#messages = messages;
    });
  }
}
