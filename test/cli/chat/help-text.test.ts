import fc from "fast-check";
import { expect, test } from "vitest";
import { helpText } from "../../../src/cli/chat/help-text.js";
import type { SlashCommand } from "../../../src/cli/chat/slash/slash-command.js";
import { COMMANDS } from "../../../src/cli/chat/slash-commands.js";
import { EDITOR_HINTS } from "../../../src/cli/chat/typing-hints.js";
import { sayAll, shown, startRepl } from "../../support/repl-session.js";

/** Commands of the usual lengths: the number of real ones is not what is tested here. */
const made = (count: number): readonly SlashCommand[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `command${index}`,
    argument: "[word]",
    summary: `does the thing number ${index}`,
    run: () => {},
  }));

const rowsOf = (text: string): string[] => text.trimEnd().split("\n");

const words = (text: string): string => text.replace(/\s+/g, " ");

/** The rows of the table: all rows before the keys. */
const tableRows = (text: string): string[] => {
  const rows = rowsOf(text);
  return rows.slice(
    0,
    rows.findIndex((row) => row.startsWith("Ctrl-J")),
  );
};

test("a list that fits the height stands in one column, however wide the terminal is", () => {
  for (const columns of [78, 198]) {
    const help = helpText(made(20), { space: { columns, rows: 23 }, hints: EDITOR_HINTS });
    expect(rowsOf(help).length).toBeLessThanOrEqual(23);
    expect(tableRows(help)).toHaveLength(20);
  }
});

test("a longer list stands in two columns if they fit the width, and so fits the height", () => {
  const help = helpText(made(31), { space: { columns: 118, rows: 23 }, hints: EDITOR_HINTS });
  expect(rowsOf(help).length).toBeLessThanOrEqual(23);
  expect(tableRows(help)).toHaveLength(16);
});

test("a longer list scrolls, one per row, if two columns do not fit the width", () => {
  expect(
    tableRows(helpText(made(31), { space: { columns: 78, rows: 23 }, hints: EDITOR_HINTS })),
  ).toHaveLength(31);
});

test("no line is wider than the terminal, and every command is there with its whole summary", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 40, max: 200 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 0, max: 40 }),
      (columns, rows, more) => {
        const commands = [...COMMANDS, ...made(more)];
        const help = helpText(commands, { space: { columns, rows }, hints: EDITOR_HINTS });
        for (const row of rowsOf(help)) expect(row.length).toBeLessThanOrEqual(columns);
        for (const { name, argument, summary } of commands) {
          const usage = argument === undefined ? `/${name}` : `/${name} ${argument}`;
          const [aligned, wrapped] = [`${usage} ${summary}`, `${usage}: ${summary}`];
          const text = words(help);
          expect(text.includes(aligned) || text.includes(wrapped), usage).toBe(true);
        }
      },
    ),
  );
});

test.each([
  { columns: 80, rows: 40 },
  { columns: 130, rows: 20 },
])("/help fits a terminal of $columns by $rows", async ({ columns, rows }) => {
  const pty = await startRepl({ columns, rows });
  pty.press("ctrl-l");
  await pty.waitFor((terminal) => shown(terminal) === "alice>");
  await sayAll(pty, "/help");
  const screen = shown(pty);
  expect(screen).toContain("  /user [id]  ");
  expect(screen).toContain("/exit");
  expect(screen).toMatch(/Ctrl-R search · Tab\nalice>$/);
});

test("/help on a terminal of 40 columns wraps and scrolls", async () => {
  const pty = await startRepl({ columns: 40, rows: 20 });
  await sayAll(pty, "/help");
  for (const row of shown(pty).split("\n")) expect(row.length).toBeLessThanOrEqual(40);
  expect(shown(pty)).toContain("  /exit: leave; Ctrl-D does too");
});
