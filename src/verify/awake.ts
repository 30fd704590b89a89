const TICK_MS = 10;

/**
 * Calls `over` once this process had `ms` of time, and returns how to give up. A starved process
 * gets less than passes on the clock: however late a tick comes, it counts as one.
 */
export function afterAwake(ms: number, over: () => void): () => void {
  let ticks = Math.ceil(ms / TICK_MS);
  const timer = setInterval(() => {
    ticks -= 1;
    if (ticks <= 0) over();
  }, TICK_MS);
  return () => clearInterval(timer);
}
