import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { FileProof } from "../../data/erasure/file-proof.js";
import type { Place } from "../../data/erasure/places.js";
import type { Receipt, SearchedPlace } from "../../data/erasure/receipt.js";
import { AgnoChatError, ERROR_TABLE } from "../../errors.js";
import { parseLastingSpec } from "../../memory/store-spec.js";
import type { Context } from "../command-context.js";
import { storeOf } from "../open-agent.js";
import { Progress } from "../progress.js";
import { namedSession } from "../settings/settings.js";
import { inputFilesIn } from "../terminal/input-files.js";
import { unreadableFile } from "../unreadable-file.js";
import { bytesText, count } from "../words.js";
import type { ClearReport } from "./clear-report.js";

/** `clear --prove`: looks at what is there before the delete, and at what is left after it. */
export class Proving {
  readonly #context: Context;
  readonly #location: string;
  readonly #also: readonly Place[];
  #proof: FileProof | undefined;
  #typed: readonly string[] = [];

  private constructor(context: Context, location: string, also: readonly Place[]) {
    this.#context = context;
    this.#location = location;
    this.#also = also;
  }

  /** @throws {AgnoChatError} `USAGE`, `FILE_UNREADABLE`: nothing may be deleted then */
  static async of(context: Context, files: readonly string[]): Promise<Proving> {
    const { kind, location } = parseLastingSpec(storeOf(context));
    if (kind !== "sqlite") throw notInFiles();
    const also = await Promise.all(files.map(requirePlace));
    return new Proving(context, location, also);
  }

  /** Keeps in mind what is about to be deleted: messages from before this time, in milliseconds. */
  async before(before: number): Promise<void> {
    const { home, settings } = this.#context;
    const { user: userId } = settings.values;
    const sessionId = namedSession(settings);
    this.#typed = sessionId === undefined ? (inputFilesIn(home)?.read(userId) ?? []) : [];
    const scope = { userId, sessionId, before, typed: this.#typed };
    this.#proof = await FileProof.before(this.#location, scope);
  }

  /**
   * Searches what is left, and prints the receipt.
   * @returns the exit code
   */
  async report(done: ClearReport): Promise<number> {
    const { home, options, output, signal, settings } = this.#context;
    const input = inputFilesIn(home);
    const { user } = settings.values;
    const isInputKept = (input?.read(user) ?? []).length > 0;
    const [own = "", ...strange] = input?.filesOf(user) ?? [];
    const typedInput = isInputKept ? 0 : this.#typed.length;
    const progress = new Progress(this.#context);
    const receipt = await (this.#proof as FileProof)
      .after({
        places: [
          ...(isInputKept || own === "" ? [] : [{ what: TYPED, path: own, isExpected: true }]),
          ...strange.map((path) => ({ what: TYPED, path })),
          ...this.#also,
        ],
        folders: home === undefined ? [] : [home],
        signal,
        onProgress: (bytes) => progress.show(() => `${bytesText(bytes)} searched`),
      })
      .finally(() => progress.hide());
    const { isProven: ok, deleted, ...rest } = receipt;
    const { isDry: _, words, ...scope } = done;
    if (options.json)
      output.document({
        ...{ ok, ...scope },
        deleted: { ...done.deleted, ...deleted, typedInput },
        isTypedInputKept: isInputKept,
        ...rest,
      });
    else {
      output.write(`Deleted ${words}.\n\n`);
      output.table(deletedRows(done, receipt, isInputKept ? "kept" : count(typedInput, "line")));
      output.write(`\n${lookedForText(receipt)}\n\n`);
      output.table(receipt.places.map(placeRow));
      output.write(`\n${verdict(receipt, done.user ?? "")}\n`);
      for (const remark of remarks(receipt)) output.write(`${remark}\n`);
    }
    return ok ? 0 : ERROR_TABLE.EXPECTATION_FAILED.exit;
  }
}

const TYPED = "typed input";

async function requirePlace(name: string): Promise<Place> {
  const path = resolve(name);
  const what = `the file ${JSON.stringify(name)}`;
  const found = await stat(path).catch((cause) => {
    throw unreadableFile(what, cause);
  });
  if (found.isFile()) return { what: "named file", path, isExpected: true };
  throw new AgnoChatError("FILE_UNREADABLE", `Cannot read ${what}: it is not a regular file.`);
}

const notInFiles = (): AgnoChatError =>
  new AgnoChatError("USAGE", "--prove searches a memory file, and a database is none.");

function deletedRows(
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

function lookedForText({ lookedFor }: Receipt): string {
  const { texts, tooShort, samples, sampleBytes, oneIn } = lookedFor;
  const some = oneIn === 1 ? "" : `, one in ${oneIn} of all,`;
  const short =
    tooShort === 0 ? "" : ` ${tooShort} of them are too short or too plain to be told from others.`;
  return `Looked for ${count(samples, "piece")} of ${sampleBytes} bytes${some} from ${count(texts, "text")}.${short}`;
}

function placeRow({ what, path, bytes, leftovers, offsets, problem }: SearchedPlace): string[] {
  if (problem !== undefined) return ["NOT READ", what, path, problem];
  if (bytes === null) return ["ok", what, path, "is not there"];
  if (leftovers === 0) return ["ok", what, path, `nothing in ${bytesText(bytes)}`];
  const more = offsets.length < leftovers ? " and later" : "";
  const where = `at ${offsets.length === 1 ? "byte" : "bytes"} ${offsets.join(", ")}${more}`;
  return ["LEFT", what, path, `${count(leftovers, "piece")} of texts ${where}`];
}

function verdict({ isProven, places, strays, isCleanedUp }: Receipt, user: string): string {
  const bytes = places.reduce((sum, place) => sum + (place.bytes ?? 0), 0);
  const files = places.filter((place) => place.bytes !== null).length;
  if (isProven)
    return `Nothing of the texts of ${user} was found in ${bytes} bytes of ${count(files, "file")}.`;
  const left = places.filter(({ leftovers }) => leftovers > 0).length;
  const reasons = [
    left > 0 ? `texts are left in ${count(left, "file")}` : "",
    strays > 0 ? `${count(strays, "row")} belong to no session` : "",
    isCleanedUp ? "" : "another process kept the clean-up from ending",
    places.some(({ problem }) => problem !== undefined) ? "not every file could be read" : "",
  ];
  return `NOT PROVEN for ${user}: ${reasons.filter((reason) => reason !== "").join("; ")}.`;
}

function remarks({ places, strays, isInUse, isCleanedUp, undecided }: Receipt): string[] {
  const isInStore = places.some(({ what, leftovers }) => leftovers > 0 && !OUTSIDE.has(what));
  const isOutside = places.some(({ what, leftovers }) => leftovers > 0 && OUTSIDE.has(what));
  return [
    ...(isInUse ? [IN_USE] : []),
    ...((isInStore || strays > 0) && isCleanedUp ? [COPY] : []),
    ...(isOutside ? ["Delete the other files in which something is left, or what they say."] : []),
    ...(undecided > 0
      ? [
          `${count(undecided, "piece")} cannot be judged: what the store keeps, of whomever, has the same words.`,
        ]
      : []),
    NOT_SEARCHED,
  ];
}

/** What is not rewritten with the memory file. */
const OUTSIDE: ReadonlySet<string> = new Set([TYPED, "temporary file", "named file"]);

const IN_USE =
  "Another process has the store open. What keeps the clean-up from ending ends with it; the next one that opens the store goes on.";
const COPY =
  "A copy holds nothing that was deleted: agno-chat backup NEW-FILE, then put it in place of the memory file.";
const NOT_SEARCHED =
  "Not searched: files that you have exported, backed up or recorded (--also FILE searches them), other stores, running programs, the histories of shell and terminal, what a disk keeps of deleted files, and what the provider of the model keeps.";
