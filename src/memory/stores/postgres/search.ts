import type { UserId } from "../../../ids.js";
import type { StoredMessage } from "../../../messages.js";
import {
  type Bits,
  type Block,
  bitsOf,
  both,
  buildBlock,
  CHARACTERS_PER_BLOCK,
  IDS_PER_BLOCK,
  idsOf,
  partOf,
} from "../../search/block.js";
import { FEW, Found } from "../../search/found.js";
import type { InSession, Page, Wanted } from "../../store.js";
import type { Ask, Row } from "./client.js";
import { pageArguments, pageOf } from "./rows.js";

/** Messages that no block covers, in one trip. */
const PAGE = { limit: 500, maxCharacters: CHARACTERS_PER_BLOCK, after: undefined };

/** Blocks that are looked up together: few at first, since the newest may be enough. */
const FIRST_BLOCKS = 8;

/** How many candidates are read in one trip. */
const CANDIDATES = 200;

const GAP = "SELECT * FROM agno_chat.search_gap_v1($1, $2)";

/** Whether a block of the user's index is missing. */
export async function lacksBlock(ask: Ask, userId: UserId): Promise<boolean> {
  const [[after] = []] = await ask(GAP, [userId, false]);
  return after !== null && after !== undefined;
}

/** Builds the next missing block, in a transaction of the caller. */
export async function indexNextBlock(ask: Ask, userId: UserId): Promise<void> {
  const [[after, before] = []] = (await ask(GAP, [userId, true])) as (number | null)[][];
  if (typeof after !== "number" || typeof before !== "number") return;
  const page = { after, before, limit: IDS_PER_BLOCK, maxCharacters: CHARACTERS_PER_BLOCK };
  const block = buildBlock(await readPage(ask, userId, { sessionId: undefined, ...page }));
  await ask("SELECT agno_chat.add_search_block_v1($1, $2, $3, $4, $5)", [
    ...[userId, block.firstId, block.lastId, block.latest],
    block.postings.map((postings) => Buffer.from(postings).toString("base64")),
  ]);
}

/** The newest messages that match, newest first, in a transaction of one snapshot. */
export async function findMessages(
  ask: Ask,
  userId: UserId,
  wanted: Wanted,
): Promise<readonly StoredMessage[]> {
  const found = new Found(wanted);
  const read: ReadPage = (before) =>
    readPage(ask, userId, { sessionId: undefined, before, ...PAGE });
  const blocks = (await ask("SELECT * FROM agno_chat.search_blocks_v1($1)", [userId])).map(blockIn);
  let before = Infinity;
  for (let size = FIRST_BLOCKS, rest = blocks; rest.length > 0 && !found.isFull; size *= 4) {
    const group = groupOf(rest, size);
    const [first] = group;
    if (first?.hasGap) await scan(found, read, { after: first.lastId, before });
    const sought = group.filter(({ latest }) => latest >= wanted.since);
    await takeCandidates(found, await candidatesIn(ask, userId, { blocks: sought, found }), {
      ask,
      userId,
    });
    before = group.at(-1)?.firstId ?? before;
    rest = rest.slice(group.length);
  }
  await scan(found, read, { after: 0, before });
  return found.messages;
}

/** The same of one session, all of which is read. */
export async function findInSession(
  ask: Ask,
  userId: UserId,
  wanted: Wanted,
): Promise<readonly StoredMessage[]> {
  const found = new Found(wanted);
  const { sessionId } = wanted;
  const read: ReadPage = (before) => readPage(ask, userId, { sessionId, before, ...PAGE });
  await scan(found, read, { after: 0, before: Infinity });
  return found.messages;
}

interface ListedBlock extends Block {
  readonly hasGap: boolean;
}

function blockIn(row: Row): ListedBlock {
  const [firstId, lastId, latest, parts, hasGap] = row as readonly [
    ...[number, number, number, number],
    boolean,
  ];
  return { firstId, lastId, latest, parts, hasGap };
}

/** The next blocks with no other messages in between. */
function groupOf(blocks: readonly ListedBlock[], size: number): readonly ListedBlock[] {
  const gap = blocks.findIndex(({ hasGap }, index) => index > 0 && hasGap);
  return blocks.slice(0, gap === -1 ? size : Math.min(size, gap));
}

type ReadPage = (before: number) => Promise<readonly StoredMessage[]>;

async function readPage(
  ask: Ask,
  userId: UserId,
  { sessionId, ...page }: Page & InSession,
): Promise<readonly StoredMessage[]> {
  const values = [userId, sessionId ?? null, ...pageArguments(page)];
  const rows = await ask("SELECT * FROM agno_chat.page_v1($1, $2, $3, $4, $5, $6)", values);
  return pageOf(rows.map(([text]) => text as string));
}

async function scan(
  found: Found,
  read: ReadPage,
  { after, before }: { readonly after: number; readonly before: number },
): Promise<void> {
  for (
    let end: number | undefined = before;
    !found.isFull && end !== undefined && end > after + 1;
  )
    end = found.takePage(await read(end), after);
}

interface Candidate {
  readonly firstId: number;
  readonly id: number;
}

/** The messages of these blocks that may match, newest first. One trip for each gram. */
async function candidatesIn(
  ask: Ask,
  userId: UserId,
  { blocks, found }: { readonly blocks: readonly Block[]; readonly found: Found },
): Promise<readonly Candidate[]> {
  const known = new Map<number, Bits>();
  let open = blocks;
  for (const gram of found.grams) {
    if (open.length === 0) break;
    const rows = await ask("SELECT * FROM agno_chat.search_parts_v1($1, $2, $3)", [
      userId,
      open.map(({ firstId }) => firstId),
      open.map((block) => partOf(gram, block)),
    ]);
    const parts = new Map(rows as (readonly [number, string])[]);
    for (const block of open) {
      const postings = Buffer.from(parts.get(block.firstId) ?? "", "base64");
      const bits = bitsOf(gram, postings, block);
      const before = known.get(block.firstId);
      known.set(block.firstId, before === undefined ? bits : both(before, bits));
    }
    open = open.filter((block) => idsIn(known, block).length > FEW);
  }
  return blocks.flatMap((block) =>
    idsIn(known, block).map((id) => ({ firstId: block.firstId, id })),
  );
}

const idsIn = (known: ReadonlyMap<number, Bits>, block: Block): number[] => {
  const bits = known.get(block.firstId);
  return bits === undefined ? [] : idsOf(bits, block);
};

async function takeCandidates(
  found: Found,
  candidates: readonly Candidate[],
  { ask, userId }: { readonly ask: Ask; readonly userId: UserId },
): Promise<void> {
  for (let start = 0; start < candidates.length && !found.isFull; start += CANDIDATES) {
    const some = candidates.slice(start, start + CANDIDATES);
    const rows = await ask("SELECT * FROM agno_chat.search_messages_v1($1, $2, $3)", [
      userId,
      some.map(({ firstId }) => firstId),
      some.map(({ id }) => id),
    ]);
    found.takePage(pageOf(rows.map(([text]) => text as string)));
  }
}
