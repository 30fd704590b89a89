const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const FRAME_MS = 100;
const PAUSE_MS = 1000;

/** Shows that something is awaited, one frame after the other. */
export interface Spinner {
  /** Spins from now on, if it does not yet. */
  start(): void;
  /** Goes away, and comes back when it is not asked to rest again for a second: something has come that speaks for itself. */
  pause(): void;
  stop(): void;
}

/** @param show Gets each frame, and undefined when there is none to show any more. */
export function createSpinner(show: (frame: string | undefined) => void): Spinner {
  let index = 0;
  let isShown = false;
  let timer: NodeJS.Timeout | undefined;

  function next(): void {
    isShown = true;
    show(FRAMES[index++ % FRAMES.length]);
    timer = setTimeout(next, FRAME_MS);
  }

  function stop(): void {
    clearTimeout(timer);
    if (isShown) show(undefined);
    isShown = false;
  }

  return {
    start() {
      if (isShown) return;
      stop();
      next();
    },
    pause() {
      stop();
      timer = setTimeout(next, PAUSE_MS);
    },
    stop,
  };
}
