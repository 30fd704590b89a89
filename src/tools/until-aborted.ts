import type { Awaitable } from "../memory/memory.js";

/**
 * Waits for the work until the signal aborts, and then rejects at once with its reason. The
 * abandoned work goes on unobserved.
 */
export async function untilAborted<T>(work: Awaitable<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
