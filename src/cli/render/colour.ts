import { Chalk, type ChalkInstance } from "chalk";

/** A stream's colours: chalk at a fixed level. At level 0 it returns text unchanged. */
export type Palette = ChalkInstance;

/** Styles one piece of text without changing its width. */
export type Paint = (text: string) => string;

export interface PaletteOptions {
  readonly env: NodeJS.ProcessEnv;
  /** False when the user gave `--no-color`. */
  readonly colorFlag?: boolean;
}

/** The properties of a stream that decide on colour. */
export interface ColourStream {
  readonly isTTY?: boolean;
  getColorDepth?(env?: object): number;
}

/**
 * The palette of one stream; stdout and stderr each have their own. In order of precedence:
 * `--no-color`, `NO_COLOR`, `FORCE_COLOR` (0 to 3, or any other word for at least 16 colours),
 * `TERM=dumb`, the stream's own abilities. An empty variable counts as unset. `NO_COLOR` wins over
 * `FORCE_COLOR`, because no-color.org lets only a flag override it: a build system sets
 * `FORCE_COLOR` for everyone, but a person sets `NO_COLOR` for themselves.
 */
export function createPalette(stream: ColourStream, options: PaletteOptions): Palette {
  return new Chalk({ level: colourLevel(stream, options) });
}

/**
 * The colour of one user, readable on light and dark backgrounds. It is the same on every machine,
 * unless a user shown recently with this palette already has it.
 */
export function userColour(userId: string, palette: Palette): Paint {
  const recent = recentColours.get(palette) ?? new Map<string, number>();
  recentColours.set(palette, recent);
  const colour = recent.get(userId) ?? freeColour(userId, recent);
  // Moves the user to the end: the map is in order of use.
  recent.delete(userId);
  recent.set(userId, colour);
  return palette.ansi256(colour);
}

/** The colours in use, by user; at most one user for each colour. */
const recentColours = new WeakMap<Palette, Map<string, number>>();

function freeColour(userId: string, recent: Map<string, number>): number {
  const [oldest] = recent.keys();
  if (recent.size === USER_COLOURS.length && oldest !== undefined) recent.delete(oldest);
  const taken = new Set(recent.values());
  const start = hash(userId) % USER_COLOURS.length;
  const inOrder = [...USER_COLOURS.slice(start), ...USER_COLOURS.slice(0, start)];
  return inOrder.find((colour) => !taken.has(colour)) ?? USER_COLOURS[0];
}

/** Distinct hues of the 256 colours, each with a contrast of at least 3:1 on black and on white. */
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
  // Without both variables: Node would apply them again, with FORCE_COLOR first.
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
