import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** What refuses to run as root runs as nobody then. */
const NOBODY = 65_534;

/** Ends the server once the tests have closed stdin, or are gone. */
const untilLeft = (signal: string): string => `"$0" "$@" & cat; kill -${signal} $!; wait $!`;

export interface ServiceOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** What it writes to stderr once it can be used. */
  readonly readyLine: string;
  /** What ends it without waiting for anybody. */
  readonly endSignal: "INT" | "QUIT";
}

/** A server in a process of its own, which ends with the tests at the latest. */
export interface ServiceProcess {
  stop(): Promise<void>;
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** For a process that refuses to run as root. */
export const asNobody = (): { uid?: number; gid?: number } =>
  isRoot() ? { uid: NOBODY, gid: NOBODY } : {};

/** Gives such a process its files. */
export async function giveToNobody(...paths: readonly string[]): Promise<void> {
  if (isRoot()) await Promise.all(paths.map((each) => chown(each, NOBODY, NOBODY)));
}

export async function startService(
  command: readonly string[],
  { readyLine, endSignal, ...options }: ServiceOptions,
): Promise<ServiceProcess> {
  const service = spawn("sh", ["-c", untilLeft(endSignal), ...command], {
    ...options,
    ...asNobody(),
    stdio: ["pipe", "ignore", "pipe"],
  });
  await untilLine(service.stderr, readyLine);
  return {
    stop: async () => {
      service.stdin.end();
      if (service.exitCode === null) await once(service, "exit");
    },
  };
}

async function untilLine(log: Readable, text: string): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: log })) {
    lines.push(line);
    if (!line.includes(text)) continue;
    log.resume();
    return;
  }
  throw new Error(`It did not start:\n${lines.join("\n")}`);
}
