import { once } from "node:events";
import type { AgnoChatError } from "../errors.js";
import { safeJson } from "../safe-json.js";
import { sanitise } from "../sanitise.js";
import { maskSecrets } from "../secrets.js";
import { Columns } from "./columns.js";
import { causeLines, failureDocument, failureLine } from "./failure-text.js";
import type { Io } from "./io.js";
import { noteLine } from "./note-line.js";

export interface OutputOptions {
  readonly json: boolean;
  /** Failures are events, each a line of JSON on stdout. */
  readonly streamJson?: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

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
    this.writeSafe(new Columns().textOf(rows));
  }

  /** Writes the one JSON document of a command. */
  document(value: unknown): void {
    this.#io.stdout.write(`${safeJson(value)}\n`);
  }

  /** Writes a one-line remark to stderr. `style` adds colour and indentation to the safe line. */
  note(text: string, style = (line: string): string => line): void {
    if (!this.#options.quiet) this.#io.stderr.write(`${style(noteLine(maskSecrets(text)))}\n`);
  }

  /** Reports a failure: one line on stderr, or with `--json` or `--stream-json` on stdout. */
  failure(error: AgnoChatError): void {
    const { json, streamJson } = this.#options;
    if (json) this.document({ ok: false, error: failureDocument(error) });
    else if (streamJson) this.document({ type: "error", ok: false, error: failureDocument(error) });
    else this.#io.stderr.write(`agno-chat: ${failureLine(error)}\n`);
    if (this.#options.debug)
      for (const line of causeLines(error)) this.#io.stderr.write(`  ${line}\n`);
  }
}
