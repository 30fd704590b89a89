import { once } from "node:events";
import type { AgnoChatError } from "../errors.js";
import { safeJson } from "../safe-json.js";
import { sanitise, singleLine } from "../sanitise.js";
import { maskSecrets } from "../secrets.js";
import { causeLines, failureDocument, failureLine } from "./failure-text.js";
import type { Io } from "./io.js";
import { textWidth } from "./render/width.js";

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

const LONGEST_NOTE = 1000;
const LONGEST_CELL = 255;

/**
 * The two streams of the command line. stdout carries the answer, or with `--json` one document and nothing else; stderr
 * everything else.
 */
export class Output {
  readonly #io: Io;
  readonly #options: OutputOptions;

  constructor(io: Io, options: OutputOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** Text for stdout, made safe for a terminal. */
  write(text: string): void {
    this.writeSafe(sanitise(text));
  }

  /** Text for stdout that is safe already. */
  writeSafe(text: string): void {
    if (text !== "" && !this.#options.json) this.#io.stdout.write(text);
  }

  /** Text that is safe already in pieces for stdout, no faster than it is read there. */
  async pieces(texts: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
    const { stdout } = this.#io;
    for await (const text of texts) {
      if (stdout.write(text)) continue;
      await once(stdout, "drain", { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** A list of rows: aligned columns on a terminal and in a pipe alike. */
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

  /** The one JSON document of a command. */
  document(value: unknown): void {
    this.#io.stdout.write(`${safeJson(value)}\n`);
  }

  /** A remark, one line, on stderr; `dress` adds what its row looks like. */
  note(text: string, dress = (line: string): string => line): void {
    if (!this.#options.quiet)
      this.#io.stderr.write(`${dress(singleLine(maskSecrets(text), LONGEST_NOTE))}\n`);
  }

  /** One line on stderr, or with `--json` the one document on stdout. */
  failure(error: AgnoChatError): void {
    if (this.#options.json) this.document({ ok: false, error: failureDocument(error) });
    else this.#io.stderr.write(`agno-chat: ${failureLine(error)}\n`);
    if (this.#options.debug)
      for (const line of causeLines(error)) this.#io.stderr.write(`  ${line}\n`);
  }
}
