import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Lets go of everything in this process that is not used any more. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
}
