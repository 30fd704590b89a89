import type { StoredMessage } from "../../messages.js";
import { fold } from "./fold.js";
import { GramIndex } from "./gram-index.js";

/** A block of consecutive messages ends before this many ids, or after this many characters. */
export const IDS_PER_BLOCK = 2_048;
export const CHARACTERS_PER_BLOCK = 1_000_000;

/** About how many bytes a part has, so that a search reads little more than it needs. */
const PART_BYTES = 4_000;

/** What an index knows of some consecutive messages of one user. */
export interface Block {
  readonly firstId: number;
  readonly lastId: number;
  /** Milliseconds since 1970: no message of the block is later. */
  readonly latest: number;
  /** How many parts there are, a power of two. */
  readonly parts: number;
}

export interface BuiltBlock extends Block {
  /** The postings of each part, by its number. */
  readonly postings: readonly Uint8Array[];
}

/** Which part of a block knows of a gram. */
export const partOf = (gram: number, { parts }: Pick<Block, "parts">): number => gram & (parts - 1);

/**
 * The block of these messages, oldest first, or of as many of them as one block takes; there must
 * be one.
 */
export function buildBlock(messages: readonly StoredMessage[]): BuiltBlock {
  const firstId = (messages[0] as StoredMessage).id;
  const taken = messages.filter(({ id }) => id - firstId < IDS_PER_BLOCK);
  const lastId = (taken.at(-1) as StoredMessage).id;
  const latest = Math.max(...taken.map(({ createdAt }) => Date.parse(createdAt)));
  const index = new GramIndex();
  for (const { id, content } of taken) index.add(fold(content), id - firstId);
  const span = spanOf({ firstId, lastId });
  const entries = index.lists().map(([gram, offsets]) => [gram, packed(offsets, span)] as const);
  const bytes = entries.reduce((sum, [, list]) => sum + HEAD_BYTES + list.length, 0);
  const parts = 2 ** Math.max(0, Math.round(Math.log2(bytes / PART_BYTES)));
  const byPart: (readonly [number, Uint8Array])[][] = Array.from({ length: parts }, () => []);
  for (const entry of entries) byPart[partOf(entry[0], { parts })]?.push(entry);
  return { firstId, lastId, latest, parts, postings: byPart.map(encodePart) };
}

/** A set of messages of a block, a bit for each id from the first one. */
export type Bits = Uint8Array;

const spanOf = ({ firstId, lastId }: Pick<Block, "firstId" | "lastId">): number =>
  lastId - firstId + 1;

/** The messages with this gram, as far as the part that knows of it tells. */
export function bitsOf(gram: number, postings: Uint8Array, block: Block): Bits {
  const bits = new Uint8Array(Math.ceil(spanOf(block) / 8));
  const list = listIn(postings, gram);
  if (list === undefined) return bits;
  if (list.length === bits.length) return list;
  let offset = 0;
  for (let index = 0; index < list.length; index += 1) {
    let step = list[index] as number;
    if (step >= 0x80) {
      index += 1;
      step = (step & 0x7f) | ((list[index] as number) << 7);
    }
    offset += step;
    bits[offset >> 3] = (bits[offset >> 3] as number) | (1 << (offset & 7));
  }
  return bits;
}

export const both = (one: Bits, other: Bits): Bits =>
  one.map((byte, index) => byte & (other[index] as number));

/** The ids of a set, newest first. */
export function idsOf(bits: Bits, { firstId }: Block): number[] {
  const ids: number[] = [];
  for (let index = bits.length - 1; index >= 0; index -= 1) {
    const byte = bits[index] as number;
    if (byte === 0) continue;
    for (let bit = 7; bit >= 0; bit -= 1)
      if ((byte & (1 << bit)) !== 0) ids.push(firstId + 8 * index + bit);
  }
  return ids;
}

/**
 * A list of offsets as steps from one to the next, of one or two bytes each; or where that is
 * shorter, as a set of bits.
 */
function packed(offsets: Uint16Array, span: number): Uint8Array {
  const size = Math.ceil(span / 8);
  const list: number[] = [];
  let before = 0;
  for (const offset of offsets) {
    const step = offset - before;
    if (step < 0x80) list.push(step);
    else list.push((step & 0x7f) | 0x80, step >> 7);
    before = offset;
    if (list.length >= size) return bitsFrom(offsets, size);
  }
  return Uint8Array.from(list);
}

function bitsFrom(offsets: Uint16Array, size: number): Bits {
  const bits = new Uint8Array(size);
  for (const offset of offsets)
    bits[offset >> 3] = (bits[offset >> 3] as number) | (1 << (offset & 7));
  return bits;
}

/** A part: how many grams, each gram with the end of its list, ascending, then the lists. */
const COUNT_BYTES = 4;
const HEAD_BYTES = 8;

function encodePart(entries: readonly (readonly [gram: number, list: Uint8Array])[]): Uint8Array {
  const sorted = entries.toSorted(([left], [right]) => left - right);
  const start = COUNT_BYTES + HEAD_BYTES * sorted.length;
  const part = new Uint8Array(sorted.reduce((sum, [, list]) => sum + list.length, start));
  const view = new DataView(part.buffer);
  view.setUint32(0, sorted.length);
  let end = start;
  for (const [index, [gram, list]] of sorted.entries()) {
    part.set(list, end);
    end += list.length;
    view.setUint32(COUNT_BYTES + HEAD_BYTES * index, gram);
    view.setUint32(COUNT_BYTES + HEAD_BYTES * index + 4, end);
  }
  return part;
}

/** Found by binary search. */
function listIn(part: Uint8Array, gram: number): Uint8Array | undefined {
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  const count = view.getUint32(0);
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (view.getUint32(COUNT_BYTES + HEAD_BYTES * middle) < gram) low = middle + 1;
    else high = middle;
  }
  const head = COUNT_BYTES + HEAD_BYTES * low;
  if (low === count || view.getUint32(head) !== gram) return undefined;
  const start = low === 0 ? COUNT_BYTES + HEAD_BYTES * count : view.getUint32(head - 4);
  return part.subarray(start, view.getUint32(head + 4));
}
