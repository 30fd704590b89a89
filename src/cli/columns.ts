import { singleLine } from "../sanitise.js";
import { textWidth } from "./render/width.js";

const LONGEST_CELL = 255;

/** Aligns rows. Those of a later call go on below: the columns only get wider. */
export class Columns {
  #widths: readonly number[] = [];

  /** One line for each row, safe for a terminal. */
  textOf(rows: readonly (readonly string[])[]): string {
    const cells = rows.map((row) => row.map((cell) => singleLine(cell, LONGEST_CELL)));
    this.#widths = (cells[0] ?? []).map((_, column) =>
      cells.reduce(
        (width, row) => Math.max(width, textWidth(row[column] ?? "")),
        this.#widths[column] ?? 0,
      ),
    );
    return cells.map((row) => `${this.#padded(row).trimEnd()}\n`).join("");
  }

  #padded(row: readonly string[]): string {
    return row
      .map((cell, at) => cell + " ".repeat((this.#widths[at] ?? 0) - textWidth(cell)))
      .join("  ");
  }
}
