import type { SessionId } from "../../../ids.js";
import type { StoredMessage } from "../../../messages.js";
import { scopeOf } from "../../clear-log.js";
import { bytesOf, charactersOf } from "../../measure.js";
import type { JsonValue, SessionState, Snapshot } from "../../memory.js";
import { byId } from "../../order.js";
import type { Commit, NewRow, Page } from "../../store.js";
import type { SqlValue } from "./client.js";

/** A message as the functions of the schema return it. */
type Line = readonly [
  id: number,
  createdAt: number,
  runId: string,
  body: StoredMessage,
  sessionId?: string,
];

interface Header {
  readonly generation: number;
  readonly total: number;
  readonly state: readonly (readonly [key: string, value: JsonValue])[];
}

/** Reads what `read_v1` returned; its rows come in any order. */
export function snapshotOf(texts: readonly string[], sessionId: SessionId): Snapshot {
  const messages: StoredMessage[] = [];
  let header: Header = { generation: 0, total: 0, state: [] };
  for (const text of texts) {
    const parsed = JSON.parse(text) as Header | Line;
    if (isLine(parsed)) messages.push(messageOf(parsed, sessionId));
    else header = parsed;
  }
  const { generation, total, state } = header;
  return { messages: messages.sort(byId), state: stateOf(state), total, generation };
}

const isLine = (parsed: Header | Line): parsed is Line => Array.isArray(parsed);

/** Reads what `page_v1` returned. The result is oldest first. */
export const pageOf = (texts: readonly string[]): StoredMessage[] =>
  texts.map((text) => messageOf(JSON.parse(text) as Line)).sort(byId);

const messageOf = (
  [id, createdAt, runId, body, ownSession]: Line,
  sessionId = ownSession as string,
): StoredMessage => ({
  ...body,
  id,
  runId,
  sessionId,
  createdAt: new Date(createdAt).toISOString(),
});

export function stateOf(entries: Header["state"]): SessionState {
  const state = Object.create(null) as SessionState;
  for (const [key, value] of entries) state[key] = value;
  return state;
}

/** The arguments of `write_v1`. */
export function writeArguments(
  commit: Commit,
  { commitId, isRepeat }: { readonly commitId: string; readonly isRepeat: boolean },
): SqlValue[] {
  const { userId, sessionId, messages, state, expected, generation, replaceRun } = commit;
  const keysOf = (changes: Commit["state"]) => changes.map(([key]) => JSON.stringify(key));
  const valuesOf = (changes: Commit["state"]) => changes.map(([, json]) => json ?? null);
  return [
    ...[userId, sessionId, commit.time, commitId, isRepeat],
    generation === undefined ? null : countOf(generation),
    generation === undefined ? [] : [scopeOf(userId), scopeOf(userId, sessionId)],
    keysOf(expected),
    valuesOf(expected),
    replaceRun === undefined ? null : JSON.stringify(replaceRun),
    JSON.stringify(commit.newRunId),
    messages.map(({ role }) => role),
    messages.map(({ runId }) => (runId === undefined ? null : JSON.stringify(runId))),
    messages.map(({ createdAt }) => Date.parse(createdAt)),
    messages.map((row) => bytesOf({ ...row, id: 0, runId: "" })),
    messages.map((row) => charactersOf(row as StoredMessage)),
    messages.map(bodyOf),
    keysOf(state),
    valuesOf(state),
  ];
}

export function bodyOf(row: NewRow | StoredMessage): string {
  const { id: _, runId: __, sessionId: ___, createdAt: ____, ...body } = row;
  return JSON.stringify(body);
}

/** The messages that `write_v1` stored, with ids from `firstId`. Rows without a run get `run`. */
export function storedRows(
  rows: readonly NewRow[],
  { firstId, run }: { readonly firstId: number; readonly run: string | null },
): readonly StoredMessage[] {
  const runId = run === null ? "" : (JSON.parse(run) as string);
  return rows.map((row, index) => ({ ...row, id: firstId + index, runId: row.runId ?? runId }));
}

/** The bounds of a page as `page_v1` takes them. */
export const pageArguments = ({ after, before, limit, maxCharacters }: Page): SqlValue[] => [
  after === undefined ? null : countOf(after),
  countOf(before),
  limitOf(limit),
  limitOf(maxCharacters),
];

/** A number that fits a bigint column. `Infinity` becomes one larger than any stored number. */
export const countOf = (count: number): number =>
  Number.isSafeInteger(count) ? count : Number.MAX_SAFE_INTEGER;

/** NULL means no limit. */
export const limitOf = (limit: number): number | null => (limit === Infinity ? null : limit);
