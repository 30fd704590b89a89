import { type UserId, validateUserId } from "../ids.js";
import type { Memory } from "../memory/memory.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { checkPart, type ExportOptions } from "./export-options.js";

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
 * `for await (const text of …)`. It never holds more than one chunk, however long the history is
 * and however many sessions there are, and its text is safe for a terminal.
 *
 * - `json`: `{ user, session, messages, state }`, messages oldest first, `state` by session, in the
 *   order of their ids. Each attachment has its `content`, in base64.
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
