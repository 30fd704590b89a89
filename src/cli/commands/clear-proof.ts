import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { beginProof } from "../../data/erasure/begin-proof.js";
import type { Place } from "../../data/erasure/places.js";
import type { Proof } from "../../data/erasure/proof.js";
import type { Receipt } from "../../data/erasure/receipt.js";
import { AgnoChatError, ERROR_TABLE } from "../../errors.js";
import { type LastingKind, parseLastingSpec, type StoreSpec } from "../../memory/store-spec.js";
import type { Context } from "../command-context.js";
import { storeOf } from "../open-agent.js";
import { Progress } from "../progress.js";
import { namedSession } from "../settings/settings.js";
import { inputFilesIn } from "../terminal/input-files.js";
import { unreadableFile } from "../unreadable-file.js";
import { bytesText, count } from "../words.js";
import {
  deletedRows,
  lookedForText,
  NAMED,
  placeRow,
  remarks,
  TYPED,
  verdict,
} from "./clear-receipt.js";
import type { ClearReport } from "./clear-report.js";

/** `clear --prove`: looks at what is there before the delete, and at what is left after it. */
export class Proving {
  readonly #context: Context;
  readonly #store: StoreSpec<LastingKind>;
  readonly #also: readonly Place[];
  #proof: Proof | undefined;
  #typed: readonly string[] = [];

  private constructor(context: Context, store: StoreSpec<LastingKind>, also: readonly Place[]) {
    this.#context = context;
    this.#store = store;
    this.#also = also;
  }

  /** @throws {AgnoChatError} `USAGE`, `FILE_UNREADABLE`: nothing may be deleted then */
  static async of(context: Context, files: readonly string[]): Promise<Proving> {
    const store = parseLastingSpec(storeOf(context));
    const also = await Promise.all(files.map(requirePlace));
    return new Proving(context, store, also);
  }

  /** Keeps in mind what is about to be deleted: messages from before this time, in milliseconds. */
  async before(before: number): Promise<void> {
    const { home, settings } = this.#context;
    const { user: userId } = settings.values;
    const sessionId = namedSession(settings);
    this.#typed = sessionId === undefined ? (inputFilesIn(home)?.read(userId) ?? []) : [];
    const scope = { userId, sessionId, before, typed: this.#typed };
    this.#proof = await beginProof(this.#store, scope);
  }

  /**
   * Searches what is left, and prints the receipt. If that fails or is stopped, says that the data
   * is deleted all the same.
   * @returns the exit code
   */
  async report(done: ClearReport): Promise<number> {
    const { home, options, output, settings } = this.#context;
    const input = inputFilesIn(home);
    const { user } = settings.values;
    const { isDry: _, words, isInputKept, ...scope } = done;
    const [own = "", ...strange] = input?.filesOf(user) ?? [];
    const typedInput = isInputKept ? 0 : this.#typed.length;
    const places = [
      ...(isInputKept || own === "" ? [] : [{ what: TYPED, path: own, isExpected: true }]),
      ...strange.map((path) => ({ what: TYPED, path })),
      ...this.#also,
    ];
    const receipt = await this.#search(places).catch((error) => {
      output.note(`Deleted ${words}, but what may be left was not searched to the end.`);
      throw error;
    });
    const { isProven: ok, deleted, ...rest } = receipt;
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
      const whose = done.session === null ? user : `${user} in ${done.session}`;
      output.write(`\n${verdict(receipt, whose)}\n`);
      const isTypedLeft = isInputKept && input?.owners()(user) === true;
      for (const remark of remarks(receipt, isTypedLeft)) output.write(`${remark}\n`);
    }
    return ok ? 0 : ERROR_TABLE.EXPECTATION_FAILED.exit;
  }

  async #search(places: readonly Place[]): Promise<Receipt> {
    const { home, signal } = this.#context;
    const progress = new Progress(this.#context);
    const folders = home === undefined ? [] : [home];
    const onProgress = (bytes: number): void => progress.show(() => `${bytesText(bytes)} searched`);
    try {
      return await (this.#proof as Proof).after({ places, folders, signal, onProgress });
    } finally {
      progress.hide();
    }
  }
}

async function requirePlace(name: string): Promise<Place> {
  const path = resolve(name);
  const what = `the file ${JSON.stringify(name)}`;
  const found = await stat(path).catch((cause) => {
    throw unreadableFile(what, cause);
  });
  if (found.isFile()) return { what: NAMED, path, isExpected: true };
  throw new AgnoChatError("FILE_UNREADABLE", `Cannot read ${what}: it is not a regular file.`);
}
