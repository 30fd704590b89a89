import type { Receipt, SearchedPlace } from "../../data/erasure/receipt.js";
import { bytesText, count } from "../words.js";
import type { ClearReport } from "./clear-report.js";

export function deletedRows(
  { deleted: { messages, sessions } }: ClearReport,
  { deleted }: Receipt,
  typed: string,
): string[][] {
  const { stateValues, stateChanges, attachments, searchBlocks } = deleted;
  return [
    ["messages", `${messages}, and ${count(sessions, "session")}`],
    ["session state", `${count(stateValues, "value")}, and ${stateChanges} kept for undo`],
    ["attachments", `${attachments}`],
    ["search index", count(searchBlocks, "block")],
    ["typed input", typed],
    ["imports", "known by their messages alone"],
  ];
}

export function lookedForText({ lookedFor }: Receipt): string {
  const { texts, tooShort, samples, sampleBytes, oneIn } = lookedFor;
  const some = oneIn === 1 ? "" : `, one in ${oneIn} of all,`;
  const areShort = tooShort === 1 ? "1 of them is" : `${tooShort} of them are`;
  const short = tooShort === 0 ? "" : ` ${areShort} too short or too plain to be told from others.`;
  return `Looked for ${count(samples, "piece")} of ${sampleBytes} bytes${some} from ${count(texts, "text")}.${short}`;
}

export function placeRow({
  what,
  path,
  bytes,
  leftovers,
  offsets,
  undecided,
  problem,
}: SearchedPlace): string[] {
  if (problem !== undefined) return ["NOT READ", what, problem, path];
  if (bytes === null) return ["ok", what, "is not there", path];
  if (leftovers === 0) {
    const but = undecided === 0 ? "" : ` but ${count(undecided, "piece")} that the store keeps`;
    return ["ok", what, `nothing${but} in ${bytesText(bytes)}`, path];
  }
  const more = offsets.length < leftovers ? " and later" : "";
  const where = `at ${offsets.length === 1 ? "byte" : "bytes"} ${offsets.join(", ")}${more}`;
  return ["LEFT", what, `${count(leftovers, "piece")} of texts ${where}`, path];
}

/** @param whose The user, and the session if only one was cleared. */
export function verdict(receipt: Receipt, whose: string): string {
  const { isProven, places, strays, isCleanedUp, tables, lookedFor } = receipt;
  const bytes = places.reduce((sum, place) => sum + (place.bytes ?? 0), 0);
  const files = places.filter((place) => place.bytes !== null).length;
  const inRows = tables.length > 0 ? "in rows of the database or " : "";
  if (isProven && lookedFor.samples === 0)
    return `There was no text of ${whose} to look for, and no row is left.`;
  if (isProven)
    return `Nothing of the texts of ${whose} was found ${inRows}in ${bytes} bytes of ${count(files, "file")}.`;
  const left = places.filter(({ leftovers }) => leftovers > 0).length;
  const reasons = [
    left > 0 ? `texts are left in ${count(left, "file")}` : "",
    strays > 0 ? `${count(strays, "row")} belong to no session` : "",
    isCleanedUp ? "" : "another process kept the clean-up from ending",
    places.some(({ problem }) => problem !== undefined) ? "not every file could be read" : "",
  ];
  return `NOT PROVEN for ${whose}: ${reasons.filter((reason) => reason !== "").join("; ")}.`;
}

/**
 * What to do about it, and what was not searched.
 * @param isTypedLeft Whether typed input of the user is kept on purpose.
 */
export function remarks(receipt: Receipt, isTypedLeft: boolean): string[] {
  const { places, strays, isInUse, isCleanedUp, undecided, tables } = receipt;
  const left = places.filter(({ leftovers }) => leftovers > 0);
  const isOutside = left.some(({ what }) => OUTSIDE.has(what));
  const isInside = left.some(({ what }) => !OUTSIDE.has(what));
  return [
    ...(isInUse ? [IN_USE] : []),
    ...(isCleanedUp ? [] : [NO_SECOND_LOOK]),
    ...(isInside && isCleanedUp && strays === 0 ? [COPY] : []),
    ...(strays > 0 ? [STRAYS] : []),
    ...(isOutside ? [DELETE_THEM] : []),
    ...(isOutside && tables.length > 0 ? [NOT_COMPARED] : []),
    ...(undecided > 0
      ? [`${count(undecided, "piece")} cannot be judged: what the store keeps has the same words.`]
      : []),
    ...(tables.length > 0 ? [vacuumText(tables), OLD_COPIES] : []),
    ...(isTypedLeft ? [TYPED_LEFT] : []),
    NOT_SEARCHED,
  ];
}

export const TYPED = "typed input";
export const NAMED = "named file";

/** What is not rewritten with the memory file. */
const OUTSIDE: ReadonlySet<string> = new Set([TYPED, NAMED, "temporary file"]);

const IN_USE =
  "Another process has the store open. What keeps a clean-up from ending ends with it; the next one that opens the store goes on.";
const NO_SECOND_LOOK =
  "Another search would have nothing to look for, since the texts are not kept: end other processes before the next one.";
const COPY =
  "A copy holds nothing that was deleted: agno-chat backup NEW-FILE, then put it in place of the memory file.";
const STRAYS =
  "Such rows should not be there: report it. A copy into a new store leaves them behind: agno-chat store copy.";
const DELETE_THEM = "Delete the files in which something is left, or what they say.";
const NOT_COMPARED =
  "What other users have in the database was not compared: a file may hold the same words of theirs.";
const OLD_COPIES =
  "The write-ahead log of the server, its replicas, archives and backups keep what they have until they are deleted.";
const TYPED_LEFT =
  "What the user has typed at the prompt is kept, and has the same words where they were typed: it goes with the last of the user's sessions.";
const NOT_SEARCHED =
  "Not searched: files that you have exported, backed up or recorded (--also FILE searches them), other stores, running programs, the histories of shell and terminal, what a disk keeps of deleted files, and what the provider of the model keeps.";

const vacuumText = (tables: readonly string[]): string =>
  `The server keeps deleted rows until it vacuums, and their bytes until others take their place. To rewrite the tables without them, while nobody can use them, as a superuser: VACUUM FULL ${tables.join(", ")};`;
