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
import { Found } from "../../search/found.js";
import { GramPlan } from "../../search/gram-plan.js";
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

/**
 * Builds the next missing block, in a transaction of the caller. Returns the share of the ids up to
 * its end.
 */
export async function indexNextBlock(ask: Ask, userId: UserId): Promise<number> {
  const [[after, before] = []] = (await ask(GAP, [userId, true])) as (number | null)[][];
  if (typeof after !== "number" || typeof before !== "number") return 1;
  const page = { after, before, limit: IDS_PER_BLOCK, maxCharacters: CHARACTERS_PER_BLOCK };
  const block = buildBlock(await readPage(ask, userId, { sessionId: undefined, ...page }));
  await ask("SELECT agno_chat.add_search_block_v1($1, $2, $3, $4, $5)", [
    ...[userId, block.firstId, block.lastId, block.latest],
    block.postings.map((postings) => Buffer.from(postings).toString("base64")),
  ]);
  return block.lastId / (before - 1);
}

/** The newest messages that match, newest first, in a transaction of one snapshot. */
export async function findMessages(
  ask: Ask,
  userId: UserId,
  wanted: Wanted,
): Promise<readonly StoredMessage[]> {
  const found = new Found(wanted);
  const plan = new GramPlan(wanted.query.terms);
  const read: ReadPage = (before) =>
    readPage(ask, userId, { sessionId: undefined, before, ...PAGE });
  const blocks = (await ask("SELECT * FROM agno_chat.search_blocks_v1($1)", [userId])).map(blockIn);
  let before = Infinity;
  for (let size = FIRST_BLOCKS, rest = blocks; rest.length > 0 && !found.isFull; size *= 4) {
    const group = groupOf(rest, size);
    const [first] = group;
    if (first?.hasGap) await scan(found, read, { after: first.lastId, before });
    const sought = group.filter(({ latest }) => latest >= wanted.since);
    await takeCandidates(found, await candidatesIn(ask, userId, { blocks: sought, plan }), {
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
  { blocks, plan }: { readonly blocks: readonly Block[]; readonly plan: GramPlan },
): Promise<readonly Candidate[]> {
  const newest = plan.isDue() ? blocks[0] : undefined;
  const told = new Map<number, Bits>();
  const known = new Map<Block, Bits>();
  let open = blocks;
  for (const [index, gram] of plan.grams.entries()) {
    if (open.length === 0) break;
    const found = await lookUp(ask, userId, { gram, blocks: open });
    for (const [place, block] of open.entries()) {
      const [before, bits] = [known.get(block), found[place] as Bits];
      known.set(block, before === undefined ? bits : both(before, bits));
      if (block === newest) told.set(gram, bits);
    }
    // The newest is asked for everything, so that the next blocks are asked for less.
    open = open.filter(
      (block) => block === newest || !plan.isEnough(known.get(block) as Bits, index + 1),
    );
  }
  if (newest !== undefined) plan.learn(told);
  return blocks.flatMap((block) =>
    idsOf(known.get(block) as Bits, block).map((id) => ({ firstId: block.firstId, id })),
  );
}

/** What some blocks know of a gram, in their order. */
async function lookUp(
  ask: Ask,
  userId: UserId,
  { gram, blocks }: { readonly gram: number; readonly blocks: readonly Block[] },
): Promise<readonly Bits[]> {
  const rows = await ask("SELECT * FROM agno_chat.search_parts_v1($1, $2, $3)", [
    userId,
    blocks.map(({ firstId }) => firstId),
    blocks.map((block) => partOf(gram, block)),
  ]);
  const parts = new Map(rows as (readonly [number, string])[]);
  return blocks.map((block) =>
    bitsOf(gram, Buffer.from(parts.get(block.firstId) as string, "base64"), block),
  );
}

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
