import { singleLine } from "../../sanitise.js";
import { type Palette, userColour } from "../render/colour.js";
import type { Speaker } from "./screen.js";

/** `alice> `, or `alice/work> ` in a named session, in the user's own colour. */
export const promptOf = (speaker: Speaker, palette: Palette): string =>
  `${nameOf(speaker, palette)}> `;

/** The prompt without its `> `. */
export function nameOf({ userId, sessionId }: Speaker, palette: Palette): string {
  const names = sessionId === "default" ? [userId] : [userId, sessionId];
  return userColour(userId, palette)(names.map(quotedIfAmbiguous).join("/"));
}

/** In code points. Leaves room to type; a UUID still fits. */
const LONGEST_NAME = 40;

/** The user `alice/work` must not look like alice in her session `work`. */
function quotedIfAmbiguous(name: string): string {
  const shown = singleLine(name, LONGEST_NAME);
  return /[\s/>"]/.test(shown) ? JSON.stringify(shown) : shown;
}
