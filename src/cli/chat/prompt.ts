import { singleLine } from "../../sanitise.js";
import { type Palette, userColour } from "../render/colour.js";
import type { Who } from "./screen.js";

/** `alice> `, or `alice/work> ` in a named session, in the user's own colour. */
export const promptOf = (who: Who, palette: Palette): string => `${nameOf(who, palette)}> `;

/** The prompt up to its mark. */
export function nameOf({ userId, sessionId }: Who, palette: Palette): string {
  const names = sessionId === "default" ? [userId] : [userId, sessionId];
  return userColour(userId, palette)(names.map(unmistakable).join("/"));
}

/** Code points, so that a prompt leaves room to type. A UUID is shown whole. */
const LONGEST_NAME = 40;

/** The user `alice/work` must not look like alice in her session `work`. */
function unmistakable(name: string): string {
  const shown = singleLine(name, LONGEST_NAME);
  return /[\s/>"]/.test(shown) ? JSON.stringify(shown) : shown;
}
