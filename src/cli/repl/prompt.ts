import { sanitise } from "../../sanitise.js";
import { type Palette, userColour } from "../render/colour.js";
import type { Who } from "./screen.js";

/** `alice> `, or `alice/work> ` in a named session, in the user's own colour. */
export function promptOf({ userId, sessionId }: Who, palette: Palette): string {
  const name = sessionId === "default" ? userId : `${userId}/${sessionId}`;
  return `${userColour(userId, palette)(sanitise(name))}> `;
}
