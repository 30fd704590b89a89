import { randomBytes } from "node:crypto";
import type { ToolCall } from "../../messages.js";
import { limitSize, limitToolCalls } from "../limits.js";
import { differing, withPiece } from "./arguments-text.js";
import { isJsonObject, record, string } from "./json.js";

/** OpenAI refuses longer ids. */
const LONGEST_ID = 40;

interface Draft {
  readonly index: number | undefined;
  id: string;
  name: string;
  /** See `withPiece`. */
  versions: readonly string[];
}

/** Puts the pieces of tool calls together, however a server cuts, orders, names and repeats them. */
export class ToolCallCollector {
  readonly #drafts: Draft[] = [];
  #size = 0;

  /** A piece has come, though perhaps of no call. */
  get isBegun(): boolean {
    return this.#drafts.length > 0;
  }

  /** Characters so far. */
  get size(): number {
    return this.#size;
  }

  /** One element of `delta.tool_calls`. @throws {AgnoChatError} `MODEL_BAD_RESPONSE` for too many calls or too much of them */
  add(piece: unknown): void {
    const { index, id, function: call } = record(piece);
    const { name, arguments: args } = record(call);
    const draft = this.#draftOf({
      index: typeof index === "number" ? index : undefined,
      id: string(id),
      name: string(name),
    });
    draft.id ||= string(id);
    draft.name ||= string(name);
    // A few servers send the arguments as an object.
    const text = typeof args === "object" && args !== null ? JSON.stringify(args) : string(args);
    this.#size += string(id).length + string(name).length + text.length;
    limitSize("toolCallText", this.#size);
    draft.versions = withPiece(draft.versions, text);
  }

  /**
   * The calls in the order they were begun, no arguments being `{}`; a piece without a name and arguments is none. What
   * repeats a call, at whatever index, adds nothing to it. An id that is missing, over-long or already in `taken` is replaced
   * by one of ours.
   */
  calls(taken: Iterable<string>): ToolCall[] {
    const used = new Set(taken);
    return this.#merged().flatMap(({ id, name, versions }) => {
      const args = differing(versions).join("");
      if (name === "" && args === "") return [];
      const own = id === "" || id.length > LONGEST_ID || used.has(id) ? createId() : id;
      used.add(own);
      return { id: own, name, arguments: args === "" ? "{}" : args };
    });
  }

  #draftOf(piece: Pick<Draft, "index" | "id" | "name">): Draft {
    const known = this.#knownOf(piece);
    if (known !== undefined && !beginsAnother(known, piece)) return known;
    const draft = { ...piece, versions: [] };
    limitToolCalls(this.#drafts.push(draft));
    return draft;
  }

  /** The draft that a piece goes on with, as far as index and id tell. Only some pieces of a call may bear them. */
  #knownOf({ index, id, name }: Pick<Draft, "index" | "id" | "name">): Draft | undefined {
    const indexed = this.#drafts.findLast((draft) => draft.index === index);
    if (index !== undefined && indexed) return indexed;
    const candidates =
      index === undefined
        ? this.#drafts
        : this.#drafts.filter((draft) => draft.index === undefined);
    const named = candidates.findLast((draft) => draft.id === id);
    if (id !== "" && (named || name !== "")) return named;
    return index === undefined || name === "" ? candidates.at(-1) : undefined;
  }

  #merged(): Draft[] {
    const merged: Draft[] = [];
    for (const draft of this.#drafts) {
      const twin = merged.findLast((other) => isSameCall(other, draft));
      if (twin === undefined) merged.push({ ...draft });
      else Object.assign(twin, { name: twin.name || draft.name, versions: joined(twin, draft) });
    }
    return merged;
  }
}

/** Some servers give every call the index 0, or none: then a new id or name, or a name after whole arguments, is a new call. */
function beginsAnother(known: Draft, { id, name }: Pick<Draft, "id" | "name">): boolean {
  if (name === "" || known.name === "") return false;
  if (id !== "" && known.id !== "") return id !== known.id;
  return name !== known.name || isJsonObject(known.versions.at(-1) ?? "");
}

/** One id is one call, and so is what repeats a call without an id, unless names or arguments contradict each other. */
function isSameCall(earlier: Draft, later: Draft): boolean {
  if (earlier.name !== "" && later.name !== "" && earlier.name !== later.name) return false;
  const isMeant = later.id === "" ? later.index === earlier.index : later.id === earlier.id;
  return isMeant && differing(joined(earlier, later)).length <= 1;
}

const joined = (earlier: Draft, later: Draft): readonly string[] =>
  later.versions.reduce(withPiece, earlier.versions);

/** Nine letters and digits: the only form that Mistral takes, and all others do too. */
const createId = (): string => randomBytes(5).toString("hex").slice(0, 9);
