import { closeSync, fstatSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { AgnoChatError } from "../../errors.js";
import { systemReason } from "../../system-errors.js";

/** Read and write for the owner, nothing for others. */
const PRIVATE = 0o600;

const HUNDRED_MEGABYTES = 100_000_000;

/** Milliseconds between two looks at whether the name still leads to the open file. */
const LOOK_EVERY = 1000;

export interface AuditFileOptions {
  /** Tells the operator something, in one sentence. */
  readonly tell: (text: string) => void;
  /** In bytes. Default: 100 MB. */
  readonly rotateAt?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * A file that lines are only ever added to. A full one is renamed after the time, and none is
 * deleted. A line is with the operating system when `append` returns, so that no end of the process
 * loses it. A file that something else has renamed is opened anew within a second.
 */
export class AuditFile {
  readonly #path: string;
  readonly #tell: (text: string) => void;
  readonly #rotateAt: number;
  readonly #now: () => number;
  #file: number | undefined;
  #size = 0;
  #lookedAt = 0;
  #isFailing = false;
  /** The last line was cut off, as by a full disk. */
  #isTorn = false;

  /** @throws {AgnoChatError} `FILE_UNWRITABLE` */
  constructor(path: string, options: AuditFileOptions) {
    this.#path = path;
    this.#tell = options.tell;
    this.#rotateAt = options.rotateAt ?? HUNDRED_MEGABYTES;
    this.#now = options.now ?? Date.now;
    try {
      this.#open();
    } catch (cause) {
      const place = `the audit file ${JSON.stringify(path)}`;
      throw new AgnoChatError("FILE_UNWRITABLE", `Cannot write ${place}: ${reasonOf(cause)}.`, {
        hint: "Choose a file that this user can write.",
        cause,
      });
    }
  }

  /** Adds lines with their line ends. A failure is told once; the server goes on without. */
  append(lines: string): void {
    try {
      this.#look();
      this.#write(lines);
      if (this.#isFailing) this.#tell("The audit file is written again. Lines are missing in it.");
      this.#isFailing = false;
    } catch (thrown) {
      if (!this.#isFailing)
        this.#tell(
          `Cannot write the audit file: ${reasonOf(thrown)}. Requests go on without a record.`,
        );
      this.#isFailing = true;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): void {
    this.close();
    this.#file = openSync(this.#path, "a", PRIVATE);
    this.#size = fstatSync(this.#file).size;
    this.#lookedAt = this.#now();
  }

  /** Opens the file if it is not open, is full, or has lost its name. */
  #look(): void {
    const isDue = this.#now() - this.#lookedAt >= LOOK_EVERY;
    if (this.#file === undefined || (isDue && !this.#hasItsName(this.#file))) this.#open();
    if (this.#size < this.#rotateAt) return;
    // Another process may have rotated it just now.
    if (this.#file !== undefined && this.#hasItsName(this.#file))
      renameSync(this.#path, `${this.#path}.${stamp(this.#now())}`);
    this.#open();
  }

  #hasItsName(file: number): boolean {
    this.#lookedAt = this.#now();
    const named = statSync(this.#path, { throwIfNoEntry: false });
    const { ino, dev, size } = fstatSync(file);
    this.#size = size;
    return named?.ino === ino && named.dev === dev;
  }

  #write(lines: string): void {
    if (this.#file === undefined) return;
    let left = Buffer.from(this.#isTorn ? `\n${lines}` : lines);
    while (left.length > 0) {
      const written = writeSync(this.#file, left);
      this.#size += written;
      left = left.subarray(written);
      this.#isTorn = left.length > 0;
    }
  }
}

/** A time that can stand in a file name, such as `20261126T154500.123Z`. */
const stamp = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/[-:]/g, "");

const reasonOf = (thrown: unknown): string => systemReason(thrown) ?? String(thrown);
