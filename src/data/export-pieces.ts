import { setImmediate as nextTurn } from "node:timers/promises";
import { AgnoChatError } from "../errors.js";
import type { UserId } from "../ids.js";
import type { Awaitable, GetMessagesOptions, Memory, SessionWithState } from "../memory/memory.js";
import { haveAttachments, type StoredMessage } from "../messages.js";
import type { WireMessage } from "../models/openai/to-openai-messages.js";
import { safeJson } from "../safe-json.js";
import { createSanitiser } from "../sanitise.js";
import { withContents } from "./attached-text.js";
import { contentsOfMessage, withBase64 } from "./export-attachments.js";
import type { ExportHead } from "./export-head.js";
import { markdownMessage, markdownOpening } from "./export-markdown.js";
import type { ExportOptions } from "./export-options.js";
import { inPart, startOfLast } from "./latest-part.js";
import { readBatches } from "./read-batches.js";
import { sessionPages } from "./session-pages.js";

export interface ExportSource {
  readonly memory: Memory;
  readonly userId: UserId;
  readonly options: ExportOptions;
}

/** The text of one export, in pieces. */
export class ExportPieces implements AsyncIterable<string> {
  readonly #memory: Memory;
  readonly #userId: UserId;
  readonly #options: ExportOptions;
  readonly #count: (messages: number) => void;

  /** `count` is called with how many messages have been exported so far. */
  constructor({ memory, userId, options }: ExportSource, count: (messages: number) => void) {
    this.#memory = memory;
    this.#userId = userId;
    this.#options = options;
    this.#count = count;
  }

  [Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    switch (this.#options.format) {
      case "jsonl":
        return this.#jsonLines();
      case "md":
        return this.#markdown();
      case "html":
        return this.#html();
      case "openai":
        return this.#openai();
      default:
        return this.#json();
    }
  }

  async *#json(): AsyncGenerator<string, void, undefined> {
    const { fields = { user: this.#userId, session: this.#options.sessionId ?? null } } =
      this.#options;
    // Sent with the first page, so that a memory that fails at once has no output.
    let opening = `${safeJson(fields).slice(0, -1)},"messages":[`;
    let comma = "";
    for await (const page of this.#pages())
      for await (const json of this.#jsonOf(page, ",")) {
        yield opening + comma + json;
        opening = "";
        comma = ",";
      }
    yield `${opening}],"state":{`;
    comma = "";
    for await (const states of this.#states()) {
      yield comma +
        states.map(({ sessionId, state }) => `${safeJson(sessionId)}:${safeJson(state)}`).join(",");
      comma = ",";
    }
    yield "}}\n";
  }

  async *#jsonLines(): AsyncGenerator<string, void, undefined> {
    for await (const page of this.#pages())
      for await (const json of this.#jsonOf(page, "\n")) yield `${json}\n`;
  }

  /** Messages as JSON: all at once, or one by one if some have attachments. */
  async *#jsonOf(
    page: readonly StoredMessage[],
    separator: string,
  ): AsyncGenerator<string, void, undefined> {
    if (!haveAttachments(page)) return yield page.map(safeJson).join(separator);
    for (const message of page) {
      const contents = await contentsOfMessage(this.#memory, this.#userId, message);
      yield safeJson(withBase64(message, contents));
    }
  }

  async *#markdown(): AsyncGenerator<string, void, undefined> {
    const sanitiser = createSanitiser();
    const head = await this.#head();
    let opening = markdownOpening(head);
    for await (const page of this.#pages()) {
      yield sanitiser.write(opening + page.map((each) => markdownMessage(each, head)).join(""));
      opening = "";
    }
    const rest = sanitiser.write(opening) + sanitiser.end();
    if (rest !== "") yield rest;
  }

  async *#html(): AsyncGenerator<string, void, undefined> {
    const { HTML_CLOSING, htmlMessage, htmlOpening } = await import("./export-html.js");
    const head = await this.#head();
    let opening = htmlOpening(head);
    for await (const page of this.#pages()) {
      yield opening + page.map((each) => htmlMessage(each, head)).join("");
      opening = "";
    }
    yield opening + HTML_CLOSING;
  }

  async *#openai(): AsyncGenerator<string, void, undefined> {
    const { sessionId } = this.#options;
    if (sessionId === undefined) await this.#refuseSeveral();
    const { OpenAIMessages } = await import("./export-openai.js");
    const messages = new OpenAIMessages();
    let before = "[";
    const text = (wire: readonly WireMessage[]): string =>
      wire
        .map((each) => {
          const line = `${before}\n${safeJson(each)}`;
          before = ",";
          return line;
        })
        .join("");
    for await (const page of this.#pages())
      for (const message of page) {
        const contents = await contentsOfMessage(this.#memory, this.#userId, message);
        const done = messages.add(
          contents.size === 0 ? { messages: [message] } : withContents([message], contents),
        );
        if (done.length > 0) yield text(done);
      }
    yield `${text(messages.end())}${before === "[" ? "[" : "\n"}]\n`;
  }

  async #head(): Promise<ExportHead> {
    const { sessionId, since, last } = this.#options;
    return {
      userId: this.#userId,
      sessionId,
      exportedAt: new Date(),
      model: await this.#latestModel(),
      isPart: since !== undefined || last !== undefined,
    };
  }

  /** That of the latest message that has one, if it is among the latest few. */
  async #latestModel(): Promise<string | undefined> {
    const latest = await this.#read({ limit: 128, maxCharacters: 256 * 1024 });
    return latest.findLast(({ model }) => model !== undefined)?.model;
  }

  #read = (options: GetMessagesOptions): Awaitable<StoredMessage[]> =>
    this.#memory.getMessages(this.#userId, { sessionId: this.#options.sessionId, ...options });

  /** Leaves out messages that are added meanwhile, so that no run is included in part. */
  async *#pages(): AsyncGenerator<readonly StoredMessage[], void, undefined> {
    const { sessionId, signal, since = -Infinity, last } = this.#options;
    let exported = 0;
    this.#count(exported);
    // Counted first: messages added before `newest` is read can only increase the count.
    const size = await this.#memory.size(this.#userId, { sessionId });
    const [newest] = await this.#read({ limit: 1 });
    const before = (newest?.id ?? 0) + 1;
    const start =
      last === undefined
        ? { id: 1, messages: size }
        : await startOfLast(this.#read, { last, before });
    const isAll = since === -Infinity && last === undefined;
    const from = last === undefined ? 0 : start.id;
    let read = 0;
    for await (const page of readBatches(this.#read, { after: start.id - 1, before })) {
      signal?.throwIfAborted();
      read += page.length;
      const part = isAll ? page : await inPart(page, this.#read, { since, from });
      exported += part.length;
      this.#count(exported);
      if (part.length > 0) yield part;
    }
    if (read < start.messages) throw deletedMeanwhile(this.#userId);
  }

  /** Page by page, none of them empty. Leaves out sessions whose state is empty. */
  async *#states(): AsyncGenerator<readonly StateEntry[], void, undefined> {
    const { sessionId, signal } = this.#options;
    if (sessionId !== undefined) {
      const state = await this.#memory.getState(this.#userId, { sessionId });
      if (Object.keys(state).length > 0) yield [{ sessionId, state }];
      return;
    }
    for await (const page of sessionPages(this.#memory, this.#userId)) {
      signal?.throwIfAborted();
      const some = page.filter(({ state }) => Object.keys(state).length > 0);
      if (some.length > 0) yield some;
      await nextTurn();
    }
  }

  async #refuseSeveral(): Promise<void> {
    let [count, first] = [0, ""];
    for await (const page of sessionPages(this.#memory, this.#userId)) {
      first ||= page[0]?.sessionId ?? "";
      count += page.length;
    }
    if (count <= 1) return;
    throw new AgnoChatError(
      "USAGE",
      `Messages to send on are of one session, and there are ${count}.`,
      { hint: `Name one, such as ${JSON.stringify(first)}.` },
    );
  }
}

type StateEntry = Pick<SessionWithState, "sessionId" | "state">;

const deletedMeanwhile = (userId: UserId): AgnoChatError =>
  new AgnoChatError(
    "HISTORY_CLEARED",
    `Messages of ${JSON.stringify(userId)} were deleted while they were being exported.`,
    { hint: "Export again to get what is left." },
  );
