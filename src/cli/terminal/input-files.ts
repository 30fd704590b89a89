import { createHash } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { AgnoChatError } from "../../errors.js";
import { systemReason } from "../../system-errors.js";
import { type InputStore, MAX_ENTRIES } from "./input-history.js";

/**
 * Input of users in one file each, readable by the owner of the process alone: an entry a line, as JSON text. Several
 * processes may append at once.
 */
export class InputFiles implements InputStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Lines that are not whole are passed over. @throws {AgnoChatError} `FILE_UNREADABLE` */
  read(userId: string): string[] {
    const file = this.#fileOf(userId);
    const content = this.#attempt("FILE_UNREADABLE", "read", () => readIfThere(file));
    const lines = content.split("\n").filter((line) => line !== "");
    const kept = lines.slice(-MAX_ENTRIES);
    if (kept.length < lines.length)
      this.#attempt("FILE_UNWRITABLE", "shorten", () => replace(file, content, kept));
    return kept.flatMap(parse);
  }

  /** @throws {AgnoChatError} `FILE_UNWRITABLE` */
  append(userId: string, text: string): void {
    this.#attempt("FILE_UNWRITABLE", "write", () => {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      // The line feed in front keeps the entry apart from one that another process did not finish.
      appendFileSync(this.#fileOf(userId), `\n${JSON.stringify(text)}\n`, { mode: 0o600 });
    });
  }

  /**
   * Removes the copies, too, that a process left when it was ended while it shortened the file.
   * @throws {AgnoChatError} `FILE_UNWRITABLE`
   */
  remove(userId: string): void {
    const file = path.basename(this.#fileOf(userId));
    this.#attempt("FILE_UNWRITABLE", "remove", () => {
      for (const name of namesIn(this.#folder))
        if (name === file || name.startsWith(`${file}.`))
          rmSync(path.join(this.#folder, name), { force: true });
    });
  }

  /** @throws {AgnoChatError} `FILE_UNWRITABLE` */
  removeAll(): void {
    this.#attempt("FILE_UNWRITABLE", "remove", () =>
      rmSync(this.#folder, { recursive: true, force: true }),
    );
  }

  /** An id may hold anything a file name may not, and `A` and `a` are one file on some disks. */
  #fileOf(userId: string): string {
    const digest = createHash("sha256").update(userId, "utf8").digest("hex");
    return path.join(this.#folder, `${digest}.jsonl`);
  }

  #attempt<T>(code: "FILE_UNREADABLE" | "FILE_UNWRITABLE", verb: string, action: () => T): T {
    try {
      return action();
    } catch (cause) {
      const reason = systemReason(cause) ?? "unknown reason";
      const what = `Cannot ${verb} the input history in ${this.#folder}: ${reason}.`;
      throw new AgnoChatError(code, what, {
        hint: "Check the permissions of that folder, or set AGNO_CHAT_NO_HISTORY=1.",
        cause,
      });
    }
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** Leaves the file alone when it grew since `content` was read: the next reader will shorten it. */
function replace(file: string, content: string, lines: readonly string[]): void {
  const written = `${file}.${process.pid}`;
  try {
    writeFileSync(written, `${lines.join("\n")}\n`, { mode: 0o600 });
    if (statSync(file).size === Buffer.byteLength(content)) renameSync(written, file);
  } finally {
    rmSync(written, { force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function parse(line: string): string[] {
  try {
    const text: unknown = JSON.parse(line);
    return typeof text === "string" ? [text] : [];
  } catch {
    return [];
  }
}
