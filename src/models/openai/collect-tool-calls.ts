import { randomBytes } from "node:crypto";
import { asRecord, asString, isJsonObject } from "../../json.js";
import type { ToolCall } from "../../messages.js";
import { limitSize, limitToolCalls } from "../limits.js";
import { distinctVersions, withPiece } from "./arguments-text.js";

/** OpenAI rejects longer ids. */
const LONGEST_ID = 40;

interface PartialCall {
  readonly index: number | undefined;
  id: string;
  name: string;
  /** See `withPiece`. */
  versions: readonly string[];
}

/**
 * Assembles tool calls from their pieces, however a server splits, orders, labels or repeats them.
 */
export class ToolCallCollector {
  readonly #partials: PartialCall[] = [];
  #size = 0;

  /** True once any piece has arrived, even one without a name or arguments. */
  get isBegun(): boolean {
    return this.#partials.length > 0;
  }

  /** Characters so far. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds one element of `delta.tool_calls`.
   * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` for too many or too long calls
   */
  add(piece: unknown): void {
    const { index, id, function: call } = asRecord(piece);
    const { name, arguments: args } = asRecord(call);
    const partial = this.#partialOf({
      index: typeof index === "number" ? index : undefined,
      id: asString(id),
      name: asString(name),
    });
    partial.id ||= asString(id);
    partial.name ||= asString(name);
    // A few servers send the arguments as an object.
    const text = typeof args === "object" && args !== null ? JSON.stringify(args) : asString(args);
    this.#size += asString(id).length + asString(name).length + text.length;
    limitSize("toolCallText", this.#size);
    partial.versions = withPiece(partial.versions, text);
  }

  /**
   * Returns the calls in the order they started. Missing arguments become `{}`; a piece with
   * neither name nor arguments is dropped; a repeated call counts once, at any index. An id that is
   * missing, too long or in `taken` is replaced by a new one.
   */
  calls(taken: Iterable<string>): ToolCall[] {
    const used = new Set(taken);
    return this.#merged().flatMap(({ id, name, versions }) => {
      const args = distinctVersions(versions).join("");
      if (name === "" && args === "") return [];
      const unique = id === "" || id.length > LONGEST_ID || used.has(id) ? createId() : id;
      used.add(unique);
      return { id: unique, name, arguments: args === "" ? "{}" : args };
    });
  }

  #partialOf(piece: Pick<PartialCall, "index" | "id" | "name">): PartialCall {
    const known = this.#knownOf(piece);
    if (known !== undefined && !startsNewCall(known, piece)) return known;
    const partial = { ...piece, versions: [] };
    limitToolCalls(this.#partials.push(partial));
    return partial;
  }

  /** Finds the call that a piece continues by index and id, either of which may be missing. */
  #knownOf({
    index,
    id,
    name,
  }: Pick<PartialCall, "index" | "id" | "name">): PartialCall | undefined {
    const indexed = this.#partials.findLast((partial) => partial.index === index);
    if (index !== undefined && indexed) return indexed;
    const candidates =
      index === undefined
        ? this.#partials
        : this.#partials.filter((partial) => partial.index === undefined);
    const named = candidates.findLast((partial) => partial.id === id);
    if (id !== "" && (named || name !== "")) return named;
    return index === undefined || name === "" ? candidates.at(-1) : undefined;
  }

  #merged(): PartialCall[] {
    const merged: PartialCall[] = [];
    for (const partial of this.#partials) {
      const duplicate = merged.findLast((other) => isSameCall(other, partial));
      if (duplicate === undefined) merged.push({ ...partial });
      else
        Object.assign(duplicate, {
          name: duplicate.name || partial.name,
          versions: joined(duplicate, partial),
        });
    }
    return merged;
  }
}

/**
 * Some servers give every call the index 0, or none: then a new id, a new name, or a name after
 * whole arguments starts a new call.
 */
function startsNewCall(
  known: PartialCall,
  { id, name }: Pick<PartialCall, "id" | "name">,
): boolean {
  if (name === "" || known.name === "") return false;
  if (id !== "" && known.id !== "") return id !== known.id;
  return name !== known.name || isJsonObject(known.versions.at(-1) ?? "");
}

/**
 * True for calls with one id, and for a repeat without an id at the same index, unless their names
 * or arguments contradict each other.
 */
function isSameCall(earlier: PartialCall, later: PartialCall): boolean {
  if (earlier.name !== "" && later.name !== "" && earlier.name !== later.name) return false;
  const isSameTarget = later.id === "" ? later.index === earlier.index : later.id === earlier.id;
  return isSameTarget && distinctVersions(joined(earlier, later)).length <= 1;
}

const joined = (earlier: PartialCall, later: PartialCall): readonly string[] =>
  later.versions.reduce(withPiece, earlier.versions);

/**
 * Nine letters and digits: the only form Mistral accepts, and every other server accepts it too.
 */
const createId = (): string => randomBytes(5).toString("hex").slice(0, 9);
