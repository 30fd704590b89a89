import { randomBytes } from "node:crypto";
import type { ToolCall } from "../../messages.js";
import { limitToolCalls } from "../tool-call-limit.js";
import { isJsonObject, record, string } from "./json.js";

/** OpenAI refuses longer ids. */
const LONGEST_ID = 40;

interface Draft {
  readonly index: unknown;
  id: string;
  name: string;
  arguments: string;
}

/** Puts the pieces of tool calls together, however a server cuts, orders and names them. */
export class ToolCallCollector {
  readonly #drafts: Draft[] = [];

  get size(): number {
    return this.#drafts.length;
  }

  /** One element of `delta.tool_calls`. @throws {AgnoChatError} `MODEL_BAD_RESPONSE` for too many calls */
  add(piece: unknown): void {
    const { index, id, function: call } = record(piece);
    const { name, arguments: args } = record(call);
    const draft = this.#draftOf({ index, id: string(id), name: string(name) });
    draft.id ||= string(id);
    draft.name ||= string(name);
    // A few servers send the arguments as an object.
    draft.arguments +=
      typeof args === "object" && args !== null ? JSON.stringify(args) : string(args);
  }

  /**
   * The calls in the order they were begun, no arguments being `{}`. An id that is missing, over-long or already in `taken`
   * is replaced by one of ours.
   */
  calls(taken: Iterable<string>): ToolCall[] {
    const used = new Set(taken);
    return this.#drafts.map(({ id, name, arguments: args }) => {
      const own = id === "" || id.length > LONGEST_ID || used.has(id) ? createId() : id;
      used.add(own);
      return { id: own, name, arguments: args.trim() === "" ? "{}" : args };
    });
  }

  #draftOf(piece: Pick<Draft, "index" | "id" | "name">): Draft {
    const known =
      piece.index === undefined || piece.index === null
        ? this.#drafts.findLast(({ id }) => piece.id === "" || id === piece.id)
        : this.#drafts.findLast(({ index }) => index === piece.index);
    if (known !== undefined && !beginsAnother(known, piece)) return known;
    const draft = { index: piece.index, id: "", name: "", arguments: "" };
    limitToolCalls(this.#drafts.push(draft));
    return draft;
  }
}

/** Some servers give every call the index 0, or none: then a new id, or a name after whole arguments, is a new call. */
function beginsAnother(
  known: Draft,
  { index, id, name }: Pick<Draft, "index" | "id" | "name">,
): boolean {
  if (name === "" || known.name === "") return false;
  if (id !== "" && known.id !== "") return id !== known.id;
  return index === undefined || index === null || isJsonObject(known.arguments);
}

/** Nine letters and digits: the only form that Mistral takes, and all others do too. */
const createId = (): string => randomBytes(5).toString("hex").slice(0, 9);
