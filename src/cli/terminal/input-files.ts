import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { ensureFolder } from "../../ensure-folder.js";
import { AgnoChatError } from "../../errors.js";
import type { UserId } from "../../ids.js";
import { systemReason } from "../../system-errors.js";
import { type InputStore, MAX_ENTRIES } from "./input-history.js";

/** The typed input kept in a home folder; without a home folder, none is kept. */
export function inputFilesIn(home: string): InputFiles;
export function inputFilesIn(home: string | undefined): InputFiles | undefined;
export function inputFilesIn(home: string | undefined): InputFiles | undefined {
  return home === undefined ? undefined : new InputFiles(path.join(home, "input"));
}

/**
 * Keeps each user's typed input in a file of its own, which only the process's owner can read: one
 * entry a line, as a JSON string. Several processes may append at once.
 */
export class InputFiles implements InputStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Skips incomplete lines, and shortens a file that has become too long.
   * @throws {AgnoChatError} `FILE_UNREADABLE`, `FILE_UNWRITABLE`
   */
  read(userId: UserId): string[] {
    const file = this.#fileOf(userId);
    const content = this.#attempt("FILE_UNREADABLE", "read", () => readIfThere(file));
    const lines = content.split("\n").filter((line) => line !== "");
    const kept = lines.slice(-MAX_ENTRIES);
    if (kept.length < lines.length)
      this.#attempt("FILE_UNWRITABLE", "shorten", () => replace(file, content, kept));
    return kept.flatMap(parse);
  }

  /** @throws {AgnoChatError} `FILE_UNWRITABLE` */
  append(userId: UserId, text: string): void {
    this.#attempt("FILE_UNWRITABLE", "write", () => {
      ensureFolder(this.#folder);
      // The leading line feed separates the entry from one that another process did not finish.
      appendFileSync(this.#fileOf(userId), `\n${JSON.stringify(text)}\n`, { mode: 0o600 });
    });
  }

  /**
   * Also removes the copies left by a process that was killed while it shortened the file.
   * @throws {AgnoChatError} `FILE_UNWRITABLE`
   */
  remove(userId: UserId): void {
    const file = path.basename(this.#fileOf(userId));
    this.#attempt("FILE_UNWRITABLE", "remove", () => {
      for (const name of namesIn(this.#folder))
        if (name === file || name.startsWith(`${file}.`))
          rmSync(path.join(this.#folder, name), { force: true });
    });
  }

  /**
   * The file of the user, and every file in the folder that is neither another user's nor a copy of
   * one. They need not exist.
   * @throws {AgnoChatError} `FILE_UNREADABLE`
   */
  filesOf(userId: UserId): string[] {
    const file = path.basename(this.#fileOf(userId));
    const names = this.#attempt("FILE_UNREADABLE", "read", () => namesIn(this.#folder));
    const own = names.filter((name) => name.startsWith(file) || !OF_SOMEBODY.test(name));
    return [...new Set([file, ...own])].map((name) => path.join(this.#folder, name));
  }

  /**
   * Tells of many users whose input is kept now, as the folder is read only once.
   * @throws {AgnoChatError} `FILE_UNREADABLE`
   */
  owners(): (userId: UserId) => boolean {
    const names = new Set(this.#attempt("FILE_UNREADABLE", "read", () => namesIn(this.#folder)));
    return (userId) => names.size > 0 && names.has(path.basename(this.#fileOf(userId)));
  }

  /** @throws {AgnoChatError} `FILE_UNWRITABLE` */
  removeAll(): void {
    this.#attempt("FILE_UNWRITABLE", "remove", () =>
      rmSync(this.#folder, { recursive: true, force: true }),
    );
  }

  /**
   * A digest, since ids may contain characters no file name can, and some disks ignore case. Ids
   * are well-formed, so that UTF-8 keeps them apart.
   */
  #fileOf(userId: UserId): string {
    // Loaded here, because the first prompt does not need it.
    const { createHash } = process.getBuiltinModule("node:crypto");
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

/** A file, or a copy left by a process that was killed while it shortened the file. */
const OF_SOMEBODY = /^[0-9a-f]{64}\.jsonl(\.\d+)?$/;

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** Does nothing if the file grew since `content` was read: the next reader shortens it. */
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
