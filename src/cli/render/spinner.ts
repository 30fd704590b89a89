const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const FRAME_MS = 100;
const PAUSE_MS = 1000;

/** Shows frame after frame while the user waits. */
export interface Spinner {
  /** Does nothing if it spins already. */
  start(): void;
  /** Hides the spinner, for a second after the last call. */
  pause(): void;
  stop(): void;
}

/** @param show Shows a frame; undefined hides the spinner. */
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
