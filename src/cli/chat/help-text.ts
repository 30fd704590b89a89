import { wrapText } from "../render/wrap.js";
import type { AnswerSpace, ChatScreen } from "./screen.js";
import type { SlashCommand } from "./slash/slash-command.js";

const GAP = "  ";
const CONTINUATION_INDENT = "    ";

/**
 * The text of `/help`: one row per command, then `hints`. The list is split into columns if that
 * lets the text fit `rows`; otherwise it scrolls. No line is wider than `columns`; nothing is cut.
 */
export function helpText(
  commands: readonly SlashCommand[],
  { space: { columns, rows }, hints }: Pick<ChatScreen, "space" | "hints">,
): string {
  const below = hintRows(hints, columns);
  const table = smallestTable(commands, { columns, rows: rows - below.length });
  return [...(table ?? list(commands, columns)), ...below, ""].join("\n");
}

/** The table with the fewest columns that fits the space; undefined if none fits. */
function smallestTable(
  commands: readonly SlashCommand[],
  { columns, rows }: AnswerSpace,
): string[] | undefined {
  for (let count = 1; count <= commands.length; count++) {
    const table = tableOf(commands, count);
    if (isWider(table, columns)) return undefined;
    if (table.length <= rows) return table;
  }
  return undefined;
}

/** The list that scrolls: aligned if it fits the width, otherwise with long lines wrapped. */
function list(commands: readonly SlashCommand[], columns: number): string[] {
  const aligned = alignedRows(commands);
  if (!isWider(aligned, columns)) return aligned;
  return commands.flatMap((command) =>
    wrapLine(`${usageOf(command)}: ${command.summary}`, columns),
  );
}

/** Commands in `count` columns, read downwards. */
function tableOf(commands: readonly SlashCommand[], count: number): string[] {
  const height = Math.ceil(commands.length / count);
  const [first = [], ...others] = Array.from({ length: count }, (_, index) =>
    alignedRows(commands.slice(index * height, (index + 1) * height)),
  );
  return others.reduce(beside, first);
}

function beside(left: readonly string[], right: readonly string[]): string[] {
  const width = longest(left);
  return left.map((row, index) =>
    right[index] === undefined ? row : row.padEnd(width) + GAP + right[index],
  );
}

function alignedRows(commands: readonly SlashCommand[]): string[] {
  const width = longest(commands.map(usageOf));
  return commands.map((command) => usageOf(command).padEnd(width) + GAP + command.summary);
}

function hintRows(hints: readonly string[], columns: number): string[] {
  const rows: string[] = [];
  for (const hint of hints) {
    const longer = `${rows.at(-1)} · ${hint}`;
    if (rows.length > 0 && longer.length <= columns) rows[rows.length - 1] = longer;
    else rows.push(hint);
  }
  return rows.flatMap((row) => wrapLine(row, columns));
}

function wrapLine(line: string, columns: number): string[] {
  if (line.length <= columns) return [line];
  const width = columns - CONTINUATION_INDENT.length;
  const rows = wrapText(line, { width, indent: "" }).trimEnd().split("\n");
  return rows.map((row, index) => (index === 0 ? row : CONTINUATION_INDENT + row));
}

const usageOf = ({ name, argument }: SlashCommand): string =>
  argument === undefined ? `/${name}` : `/${name} ${argument}`;

const longest = (rows: readonly string[]): number => Math.max(0, ...rows.map((row) => row.length));

const isWider = (rows: readonly string[], columns: number): boolean => longest(rows) > columns;
