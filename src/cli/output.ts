import { once } from "node:events";
import type { AgnoChatError } from "../errors.js";
import { safeJson } from "../safe-json.js";
import { sanitise, singleLine } from "../sanitise.js";
import { maskSecrets } from "../secrets.js";
import { causeLines, failureDocument, failureLine } from "./failure-text.js";
import type { Io } from "./io.js";
import { noteLine } from "./note-line.js";
import { textWidth } from "./render/width.js";

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

const LONGEST_CELL = 255;

/**
 * The two streams of the command line. stdout carries the answer, or with `--json` exactly one
 * document. Everything else goes to stderr.
 */
export class Output {
  readonly #io: Io;
  readonly #options: OutputOptions;

  constructor(io: Io, options: OutputOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** Writes text to stdout after making it safe for a terminal. */
  write(text: string): void {
    this.writeSafe(sanitise(text));
  }

  /** Writes text to stdout that is already safe for a terminal. */
  writeSafe(text: string): void {
    if (text !== "" && !this.#options.json) this.#io.stdout.write(text);
  }

  /** Writes already safe text to stdout piece by piece, and waits while the reader is slow. */
  async pieces(texts: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
    const { stdout } = this.#io;
    for await (const text of texts) {
      if (stdout.write(text)) continue;
      await once(stdout, "drain", { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** Writes rows as aligned columns, on a terminal and in a pipe alike. */
  table(rows: readonly (readonly string[])[]): void {
    const cells = rows.map((row) => row.map((cell) => singleLine(cell, LONGEST_CELL)));
    const widths = (cells[0] ?? []).map((_, column) =>
      Math.max(...cells.map((row) => textWidth(row[column] ?? ""))),
    );
    for (const row of cells) {
      const padded = row.map((cell, at) => cell + " ".repeat((widths[at] ?? 0) - textWidth(cell)));
      this.write(`${padded.join("  ").trimEnd()}\n`);
    }
  }

  /** Writes the one JSON document of a command. */
  document(value: unknown): void {
    this.#io.stdout.write(`${safeJson(value)}\n`);
  }

  /** Writes a one-line remark to stderr. `style` adds colour and indentation to the safe line. */
  note(text: string, style = (line: string): string => line): void {
    if (!this.#options.quiet) this.#io.stderr.write(`${style(noteLine(maskSecrets(text)))}\n`);
  }

  /** Reports a failure: one line on stderr, or with `--json` the document on stdout. */
  failure(error: AgnoChatError): void {
    if (this.#options.json) this.document({ ok: false, error: failureDocument(error) });
    else this.#io.stderr.write(`agno-chat: ${failureLine(error)}\n`);
    if (this.#options.debug)
      for (const line of causeLines(error)) this.#io.stderr.write(`  ${line}\n`);
  }
}
