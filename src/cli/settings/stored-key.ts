import type { Io } from "../io.js";

/** A program that prints the key, such as `pass show openai`, and the environment it runs in. */
export interface KeyCommand {
  readonly command: string;
  readonly env: Io["env"];
}

/** The command in a stored key of the form `!command`; undefined for a literal key. */
export const commandIn = (key: string): string | undefined =>
  key.startsWith("!") ? key.slice(1).trim() : undefined;
