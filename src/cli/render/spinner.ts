const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const FRAME_MS = 100;

/**
 * Shows that something is awaited, one frame after the other.
 * @param show Gets each frame, and undefined at the end.
 * @returns ends it; a second call does nothing
 */
export function startSpinner(show: (frame: string | undefined) => void): () => void {
  let index = 0;
  const next = () => show(FRAMES[index++ % FRAMES.length]);
  next();
  const timer = setInterval(next, FRAME_MS);
  let spinning = true;
  return () => {
    if (!spinning) return;
    spinning = false;
    clearInterval(timer);
    show(undefined);
  };
}
