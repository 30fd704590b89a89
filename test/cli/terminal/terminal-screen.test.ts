import headless from "@xterm/headless";
import { describe, expect, test } from "vitest";
import { createPalette } from "../../../src/cli/render/colour.js";
import { markdownReply } from "../../../src/cli/render/markdown-reply.js";
import { inputView } from "../../../src/cli/terminal/input-view.js";
import { KeyDecoder } from "../../../src/cli/terminal/keys.js";
import { TerminalScreen, type View } from "../../../src/cli/terminal/terminal-screen.js";

const DRAFT = "draft words that fill more than one row of a terminal that is made narrow";
const ROWS = 30;
const TABLE = `| name | remark |\n|---|---|\n${Array.from({ length: ROWS }, (_, row) => `| row ${row} | ${"wide ".repeat(14)}|\n`).join("")}`;

/** A screen on a terminal that replies to queries. */
class TestScreen {
  readonly screen: TerminalScreen;
  readonly #terminal: headless.Terminal;
  readonly #output = { columns: 100, rows: 30, write: (text: string) => this.#take(text) };
  #unread = "";

  constructor(wrapsCursorRow: boolean) {
    const { columns: cols, rows } = this.#output;
    this.#terminal = new headless.Terminal({
      ...{ cols, rows, allowProposedApi: true, scrollback: 1000 },
      reflowCursorLine: wrapsCursorRow,
    });
    this.screen = new TerminalScreen(this.#output);
    const cursorAt = (column: number) => this.screen.cursorReported(column);
    const keys = new KeyDecoder({ key() {}, paste() {}, idle() {}, cursorAt });
    this.#terminal.onData((answer) => keys.write(answer));
  }

  get view(): View {
    const { columns } = this.screen;
    return inputView({ prompt: "alice> ", text: DRAFT, beforeCursor: DRAFT, columns });
  }

  width = (): number => this.#output.columns;

  async resize(columns: number): Promise<void> {
    const { cursorX } = this.#terminal.buffer.active;
    this.#terminal.resize(columns, this.#output.rows);
    // xterm.js leaves the cursor in the last column when it wraps its row; other terminals move it.
    if (this.#terminal.options.reflowCursorLine && cursorX >= columns)
      this.#terminal.write(`\x1b[${(cursorX % columns) + 1}G`);
    this.#output.columns = columns;
    this.screen.resized(this.view);
    await this.settled();
  }

  /** Resolves when all output has been read, including what followed the terminal's replies. */
  async settled(): Promise<void> {
    do {
      const text = this.#unread;
      this.#unread = "";
      await new Promise<void>((done) => this.#terminal.write(text, done));
    } while (this.#unread !== "");
  }

  /** All rows, including those that were scrolled away. */
  get everything(): string[] {
    const { active } = this.#terminal.buffer;
    const rows = Array.from(
      { length: active.baseY + this.#terminal.rows },
      (_, row) => active.getLine(row)?.translateToString(true).trimEnd() ?? "",
    );
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  #take(text: string): void {
    this.#unread += text;
  }
}

/** When it becomes narrower, tmux wraps the cursor's row like any other; xterm.js cuts it. */
describe.each([
  ["wraps", true],
  ["cuts", false],
] as const)("a terminal that %s the cursor's row when it becomes narrower", (_, wrapsCursorRow) => {
  const WIDTHS = [41, 100, 60, 40, 90, 79, 80, 100];
  const prompts = ({ everything }: TestScreen): string[] =>
    everything.filter((row) => row.startsWith("alice"));

  test("shows the draft once after any resize, without remains above it", async () => {
    const tested = new TestScreen(wrapsCursorRow);
    tested.screen.show(tested.view);
    await tested.settled();
    for (const columns of WIDTHS) {
      await tested.resize(columns);
      expect(tested.everything).toEqual(tested.view.rows.map((row) => row.trimEnd()));
    }
  });

  test("leaves no copy of unfinished rows when it is resized while a reply arrives", async () => {
    const tested = new TestScreen(wrapsCursorRow);
    const palette = createPalette({}, { env: {} });
    const reply = markdownReply({ width: tested.width, palette, indent: "  " });
    tested.screen.show(tested.view);
    tested.screen.commit(["alice> go"]);
    tested.screen.show(tested.view);
    tested.screen.print(reply.write(`Before.\n\n${TABLE}`), () => reply.unfinished());
    await tested.settled();
    for (const columns of WIDTHS) await tested.resize(columns);
    tested.screen.print(reply.end(), () => "");
    await tested.settled();
    expect(prompts(tested)).toEqual(["alice> go", `alice> ${DRAFT}`]);
    const text = tested.everything.join("\n");
    for (let row = 0; row < ROWS; row++)
      expect(text.match(new RegExp(`row ${row} `, "g")), `row ${row}`).toHaveLength(1);
  });

  test("shows only the draft after it is cleared, even right after a resize", async () => {
    const tested = new TestScreen(wrapsCursorRow);
    tested.screen.show(tested.view);
    await tested.settled();
    for (const columns of WIDTHS) {
      const resized = tested.resize(columns);
      tested.screen.clear();
      await resized;
      expect(tested.everything).toEqual(tested.view.rows.map((row) => row.trimEnd()));
    }
  });
});

/** An output that records what is written and never replies. */
function written(columns: number) {
  const output = {
    columns,
    rows: 24,
    text: "",
    write(text: string) {
      output.text += text;
    },
  };
  return output;
}

test("nothing is erased from the top left corner in one step, which tmux would save", () => {
  const output = written(80);
  const screen = new TerminalScreen(output);
  const view = { rows: ["alice> "], cursorRow: 0, beforeCursor: "alice> " };
  screen.show(view);
  screen.clear();
  screen.show(view);
  expect(output.text).toContain("\x1b[J");
  expect(output.text).not.toMatch(/(?:\r|\x1b\[\d*A|\x1b\[H)\x1b\[0?J/);
});

test("the rows are drawn even if the terminal never replies", async () => {
  const output = written(100);
  const screen = new TerminalScreen(output);
  const row = `alice> ${DRAFT}`;
  screen.show({ rows: [row], cursorRow: 0, beforeCursor: row });
  output.columns = 40;
  screen.resized({ rows: ["alice> short"], cursorRow: 0, beforeCursor: "alice> short" });
  await expect.poll(() => output.text).toContain("alice> short");
});
