import { fork } from "node:child_process";
import { once } from "node:events";
import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { onAbort } from "../abort.js";
import { AgnoChatError, type ErrorCode } from "../errors.js";
import { openCopyStore } from "../memory/open-copy-store.js";
import { type LastingKind, parseLastingSpec } from "../memory/store-spec.js";
import type { Contents } from "../memory/stores/sqlite/backup.js";
import { copyUsers } from "./copy-users.js";
import { packagePath } from "./package-path.js";
import { removeLog } from "./remove-log.js";

export interface BackupOptions {
  /** An empty file. */
  readonly target: string;
  readonly signal: AbortSignal;
  /** Called now and then with how much there is, and how much of it is copied. */
  readonly onProgress: (progress: BackupProgress) => void;
}

export interface BackupProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: "bytes" | "users";
}

export interface Backup extends Contents {
  /** Users who were written to whenever they were being copied, and are not in it. */
  readonly missing: readonly string[];
}

type BackUp = (location: string, options: BackupOptions) => Promise<Backup>;

const KINDS: Readonly<Record<LastingKind, BackUp>> = {
  sqlite: backUpFile,
  postgres: copyToFile,
};

/**
 * Copies a store with all of its users into a memory file, while others write to it. Of a memory
 * file, the copy is whole and from one moment. Of a database, each user is from one moment, and
 * tokens, limits and what was used of them are left out.
 * @throws {AgnoChatError} `STORE_…`, `FILE_UNWRITABLE`, `USAGE` for `memory:`
 */
export function backUpStore(spec: string, options: BackupOptions): Promise<Backup> {
  const { kind, location } = parseLastingSpec(spec);
  return KINDS[kind](location, options);
}

/** What the process that copies a file answers. */
export type BackupAnswer =
  | { readonly contents: Contents }
  | { readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined };

const POLL_MS = 100;

async function backUpFile(
  location: string,
  { target, signal, onProgress }: BackupOptions,
): Promise<Backup> {
  const { bytesInUse } = await import("../memory/stores/sqlite/backup.js");
  const total = await bytesInUse(location);
  await requireRoom(target, total);
  const child = fork(packagePath("dist/data/backup-child.js"), [location, target], {
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const forget = onAbort(signal, () => child.kill("SIGKILL"));
  const poll = setInterval(async () => {
    const { size } = await stat(target).catch(() => ({ size: 0 }));
    onProgress({ done: size, total, unit: "bytes" });
  }, POLL_MS);
  const answered = once(child, "message").then(([message]) => message as BackupAnswer);
  try {
    const answer = await Promise.race([answered, once(child, "exit").then(() => undefined)]);
    signal.throwIfAborted();
    if (answer === undefined) throw ended();
    if ("contents" in answer) return { ...answer.contents, missing: [] };
    throw new AgnoChatError(answer.code, answer.message, { hint: answer.hint });
  } finally {
    clearInterval(poll);
    forget();
    child.kill("SIGKILL");
  }
}

const ended = (): AgnoChatError =>
  new AgnoChatError("STORE_FAILED", "The process that copies the memory file was ended.", {
    hint: "Try again.",
  });

async function requireRoom(target: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new AgnoChatError(
    "FILE_UNWRITABLE",
    `The backup needs about ${megabytes(needed)}, and its disk has ${megabytes(free)} free.`,
    { hint: "Free some disk space, or choose a file on another disk." },
  );
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

/** How often a user is copied who is written to meanwhile. */
const ATTEMPTS = 10;

async function copyToFile(
  location: string,
  { target, signal, onProgress }: BackupOptions,
): Promise<Backup> {
  const notice = (): void => {};
  const from = await openCopyStore(location, { notice });
  const to = await openCopyStore(`sqlite:${target}`, { notice });
  const missing: string[] = [];
  let [users, messages] = [0, 0];
  try {
    const { users: total } = await from.countUsers({ idleSince: 0 });
    const copied = copyUsers({ from, to, dryRun: false, signal, attempts: ATTEMPTS });
    for await (const user of copied) {
      if (user.outcome === "changed") missing.push(user.userId);
      else {
        users += 1;
        messages += user.messages;
      }
      onProgress({ done: users + missing.length, total, unit: "users" });
    }
  } finally {
    await to.close();
    await from.close();
    await removeLog(target);
  }
  return { users, messages, missing };
}
