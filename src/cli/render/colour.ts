import { Chalk, type ChalkInstance } from "chalk";

/** How to paint text for one stream: chalk, with its level decided once. At level 0 text comes back as it was. */
export type Palette = ChalkInstance;

/** Paints one piece of text; never adds or removes a column. */
export type Paint = (text: string) => string;

export interface PaletteOptions {
  readonly env: NodeJS.ProcessEnv;
  /** False when the user gave `--no-color`. */
  readonly colorFlag?: boolean;
}

/** What of a stream decides about colour: `process.stdout`, `process.stderr`, or anything that can be written to. */
export interface ColourStream {
  readonly isTTY?: boolean;
  getColorDepth?(env?: object): number;
}

/**
 * The palette of one stream; stdout and stderr each have their own. `--no-color` wins, then `NO_COLOR`, then
 * `FORCE_COLOR` (0 to 3, or any other word for at least 16 colours), then `TERM=dumb`, then what the stream can show. Both variables
 * count only when not empty. no-color.org names no rival but a flag, so `NO_COLOR` wins over `FORCE_COLOR`: a build
 * system sets the second for everyone, a person sets the first for themselves.
 */
export function createPalette(stream: ColourStream, options: PaletteOptions): Palette {
  return new Chalk({ level: colourLevel(stream, options) });
}

/**
 * The colour of one user, readable on light and dark backgrounds: the same on every machine, unless one of the users seen
 * lately with this palette has it.
 */
export function userColour(userId: string, palette: Palette): Paint {
  const lately = recentColours.get(palette) ?? new Map<string, number>();
  recentColours.set(palette, lately);
  const colour = lately.get(userId) ?? freeColour(userId, lately);
  // Last in the map is who was seen last.
  lately.delete(userId);
  lately.set(userId, colour);
  return palette.ansi256(colour);
}

/** The colours in use, by user; at most as many as there are. */
const recentColours = new WeakMap<Palette, Map<string, number>>();

function freeColour(userId: string, lately: Map<string, number>): number {
  const [longestAgo] = lately.keys();
  if (lately.size === USER_COLOURS.length && longestAgo !== undefined) lately.delete(longestAgo);
  const taken = new Set(lately.values());
  const start = hash(userId) % USER_COLOURS.length;
  const inOrder = [...USER_COLOURS.slice(start), ...USER_COLOURS.slice(0, start)];
  return inOrder.find((colour) => !taken.has(colour)) ?? USER_COLOURS[0];
}

/** Of the 256 colours, hues told apart easily, each with a contrast of at least 3:1 on black and on white. */
export const USER_COLOURS = [166, 136, 64, 28, 31, 33, 62, 135, 133, 169] as const;

type Level = 0 | 1 | 2 | 3;

function colourLevel(stream: ColourStream, { env, colorFlag = true }: PaletteOptions): Level {
  if (!colorFlag || env.NO_COLOR) return 0;
  if (env.FORCE_COLOR) return forcedLevel(env.FORCE_COLOR, stream, env);
  if (env.TERM === "dumb" || stream.isTTY !== true) return 0;
  return streamLevel(stream, env);
}

function forcedLevel(value: string, stream: ColourStream, env: NodeJS.ProcessEnv): Level {
  if (value === "0" || value === "false") return 0;
  if (value === "1" || value === "2" || value === "3") return Number(value) as Level;
  return Math.max(1, streamLevel(stream, env)) as Level;
}

function streamLevel(stream: ColourStream, env: NodeJS.ProcessEnv): Level {
  // Node would weigh both variables again, and the other way round
  const depth =
    stream.getColorDepth?.({ ...env, NO_COLOR: undefined, FORCE_COLOR: undefined }) ?? 1;
  if (depth >= 24) return 3;
  if (depth >= 8) return 2;
  return depth >= 4 ? 1 : 0;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}
