import { onTestFinished, vi } from "vitest";

/**
 * Until the end of the test, `setTimeout` follows a clock that only the test moves
 * (`vi.advanceTimersByTime`): no slow machine counts as a silent server.
 */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}
