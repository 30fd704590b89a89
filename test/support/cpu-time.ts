import { existsSync, readFileSync } from "node:fs";

const OF_THREAD = "/proc/thread-self/schedstat";

/**
 * CPU time of this thread in milliseconds, which other tests and a busy machine hardly affect; that
 * of the process, where the system does not tell.
 */
export const cpuTime = existsSync(OF_THREAD)
  ? (): number => Number.parseInt(readFileSync(OF_THREAD, "utf8"), 10) / 1e6
  : (): number => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    };
