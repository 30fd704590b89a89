import { fileURLToPath } from "node:url";

/** A file of this package. Built or not, this code is two folders deep in it. */
export const packagePath = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));
