import type { TextFilter } from "./think-filter.js";

/**
 * Passes text on unchanged, but never ends a piece inside a surrogate pair, as a model's tokens
 * may.
 */
export function createSurrogateJoiner(): TextFilter {
  let half = "";
  return {
    write(text) {
      const whole = half + text;
      half = /[\ud800-\udbff]$/.exec(whole)?.[0] ?? "";
      return whole.slice(0, whole.length - half.length);
    },
    end: () => half,
  };
}
