import type { Size } from "../memory/history-size.js";

/** `1 message`, `2 messages`. */
export const count = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? "" : "s"}`;

/** The size of a user's or a session's history, in words. */
export const sizeText = ({ messages, runs, bytes }: Size): string =>
  `${count(messages, "message")} in ${count(runs, "run")}, ${count(bytes, "byte")}`;
