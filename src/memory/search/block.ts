import type { StoredMessage } from "../../messages.js";
import { fold } from "./fold.js";
import { GramIndex } from "./gram-index.js";

/** A block of consecutive messages ends before this many ids, or after this many characters. */
export const IDS_PER_BLOCK = 2_048;
export const CHARACTERS_PER_BLOCK = 1_000_000;

/** About how many bytes a part has, so that nearly all fit one page of a file. */
const PART_BYTES = 3_300;

/** What an index knows of some consecutive messages of one user. */
export interface Block {
  readonly firstId: number;
  readonly lastId: number;
  /** Milliseconds since 1970: no message of the block is later. */
  readonly latest: number;
  /** How many parts there are. */
  readonly parts: number;
}

export interface BuiltBlock extends Block {
  /** The postings of each part, by its number. */
  readonly postings: readonly Uint8Array[];
}

/** Which part of a block knows of a gram. */
export const partOf = (gram: number, { parts }: Pick<Block, "parts">): number => gram % parts;

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
  const lists = packLists(index, spanOf({ firstId, lastId }));
  const size = HEAD_BYTES * lists.grams.length + (lists.ends.at(-1) ?? 0);
  const parts = Math.ceil((size + 1) / PART_BYTES);
  const byPart: number[][] = Array.from({ length: parts }, () => []);
  for (const [place, gram] of lists.grams.entries()) byPart[partOf(gram, { parts })]?.push(place);
  const postings = byPart.map((places) => encodePart(lists, places));
  return { firstId, lastId, latest, parts, postings };
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

/** A loop, since `map` with a function takes several times as long. */
export function both(one: Bits, other: Bits): Bits {
  const bits = new Uint8Array(one.length);
  for (let index = 0; index < bits.length; index += 1)
    bits[index] = (one[index] as number) & (other[index] as number);
  return bits;
}

/** How many messages a set has. */
export function countOf(bits: Bits): number {
  let count = 0;
  for (const byte of bits) count += BITS_OF_BYTE[byte] as number;
  return count;
}

const BITS_OF_BYTE = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).replaceAll("0", "").length,
);

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

/** The lists of these grams, which ascend, one behind the other, and where each of them ends. */
interface PackedLists {
  readonly grams: readonly number[];
  readonly ends: readonly number[];
  readonly bytes: Uint8Array;
}

function packLists(index: GramIndex, span: number): PackedLists {
  const size = Math.ceil(span / 8);
  const grams: number[] = [];
  const ends: number[] = [];
  let bytes = new Uint8Array(FIRST_BYTES);
  let end = 0;
  index.eachList((gram, offsets) => {
    if (end + size + 1 > bytes.length) bytes = widened(bytes);
    end = packList(offsets, { bytes, start: end, size });
    grams.push(gram);
    ends.push(end);
  });
  return { grams, ends, bytes };
}

const FIRST_BYTES = 1 << 18;

function widened(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const wider = new Uint8Array(2 * bytes.length);
  wider.set(bytes);
  return wider;
}

/**
 * Writes a list of offsets as steps from one to the next, of one or two bytes each; or where that
 * is shorter, as a set of bits. Returns where it ends.
 */
function packList(
  offsets: Uint16Array,
  { bytes, start, size }: { readonly bytes: Uint8Array; readonly start: number; size: number },
): number {
  let end = start;
  let before = 0;
  for (const offset of offsets) {
    const step = offset - before;
    before = offset;
    if (step < 0x80) {
      bytes[end] = step;
      end += 1;
    } else {
      bytes[end] = (step & 0x7f) | 0x80;
      bytes[end + 1] = step >> 7;
      end += 2;
    }
    if (end - start < size) continue;
    bytes.fill(0, start, end);
    setBits(offsets, bytes.subarray(start, start + size));
    return start + size;
  }
  return end;
}

function setBits(offsets: Uint16Array, bits: Bits): void {
  for (const offset of offsets)
    bits[offset >> 3] = (bits[offset >> 3] as number) | (1 << (offset & 7));
}

/** A part: how many grams, each gram with the end of its list, ascending, then the lists. */
const COUNT_BYTES = 4;
const HEAD_BYTES = 8;

function encodePart({ grams, ends, bytes }: PackedLists, places: readonly number[]): Uint8Array {
  const startOf = (place: number) => (place === 0 ? 0 : (ends[place - 1] as number));
  let end = COUNT_BYTES + HEAD_BYTES * places.length;
  const size = places.reduce((sum, place) => sum + (ends[place] as number) - startOf(place), end);
  const part = new Uint8Array(size);
  const view = new DataView(part.buffer);
  view.setUint32(0, places.length);
  for (const [order, place] of places.entries()) {
    for (let at = startOf(place); at < (ends[place] as number); at += 1, end += 1)
      part[end] = bytes[at] as number;
    view.setUint32(COUNT_BYTES + HEAD_BYTES * order, grams[place] as number);
    view.setUint32(COUNT_BYTES + HEAD_BYTES * order + 4, end);
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
