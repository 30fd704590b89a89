import type { Reading } from "../doors/door.js";
import type { Whose } from "../finding.js";

/** What the program in `child.ts` offers to the process that started it. */
export interface ChildFunctions {
  /** Opens the memory that `spec` names; returns the names of its readers. */
  open(spec: string): Promise<readonly string[]>;
  read(reader: string, whose: Whose): Promise<Reading>;
  close(): Promise<void>;
  readonly [name: string]: (...args: never[]) => unknown;
}
