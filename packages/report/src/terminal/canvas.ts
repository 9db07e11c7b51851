import { at } from "@isthmus/core";
/** Character set of a chart. */
export type Charset = "braille" | "ascii";

/** Bit of each dot in a braille cell, `[row][column]`, from U+2800. */
const BRAILLE_BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** Marks of series, in the order of the symbols of figures. */
const MARKS = {
  braille: ["●", "■", "▲", "◆", "★", "×"],
  ascii: ["*", "o", "+", "x", "#", "@"],
} as const satisfies Record<Charset, readonly string[]>;

/** Character that joins marks in ASCII charts, which have no characters for lines. */
export const ASCII_LINE = ".";

/** Returns the mark of a series by its index; marks repeat after the last one. */
export function markOf(series: number, charset: Charset): string {
  const marks = MARKS[charset];
  return at(marks, series % marks.length, "mark");
}

/**
 * A grid of dots behind a grid of characters: 2 by 4 dots a character in braille, 1 by 1 in ASCII.
 *
 * A character shows the dots of the series that drew on it last, or a mark.
 */
export class Canvas {
  /** Number of dots across. */
  readonly width: number;
  /** Number of dots down. */
  readonly height: number;
  readonly #columns: number;
  readonly #charset: Charset;
  readonly #bits: Uint8Array;
  readonly #series: Int16Array;
  /** Series of the marks, by the index of their character. */
  readonly #marks = new Map<number, number>();
  /** Series that have at least one mark. */
  readonly #marked = new Set<number>();

  constructor(columns: number, rows: number, charset: Charset) {
    this.#columns = columns;
    this.#charset = charset;
    this.width = charset === "braille" ? 2 * columns : columns;
    this.height = charset === "braille" ? 4 * rows : rows;
    this.#bits = new Uint8Array(columns * rows);
    this.#series = new Int16Array(columns * rows).fill(-1);
  }

  /**
   * Sets the dot at column `x` from the left and row `y` from the top; positions outside the grid are
   * ignored.
   */
  set(x: number, y: number, series: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const braille = this.#charset === "braille";
    const cell = this.#cellOf(x, y);
    const bit = braille ? at(at(BRAILLE_BITS, y & 3), x & 1) : 1;
    this.#bits[cell] = at(this.#bits, cell, "cell") | bit;
    this.#series[cell] = series;
  }

  /** Puts a mark at the character of a dot, over all lines; positions outside the grid are ignored. */
  mark(x: number, y: number, series: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    this.#marks.set(this.#cellOf(x, y), series);
    this.#marked.add(series);
  }

  #cellOf(x: number, y: number): number {
    return this.#charset === "braille" ? (y >> 2) * this.#columns + (x >> 1) : y * this.#columns + x;
  }

  /** Returns the characters of one row; `paint` can colour each run of characters of one series. */
  row(index: number, paint: (text: string, series: number) => string): string {
    let line = "";
    let run = "";
    let runSeries = -1;
    for (let column = 0; column < this.#columns; column++) {
      const cell = index * this.#columns + column;
      const series = this.#marks.get(cell) ?? at(this.#series, cell, "cell");
      if (series !== runSeries) {
        line += runSeries < 0 ? run : paint(run, runSeries);
        run = "";
        runSeries = series;
      }
      run += this.#character(cell, series);
    }
    return line + (runSeries < 0 ? run : paint(run, runSeries));
  }

  #character(cell: number, series: number): string {
    if (series < 0) return " ";
    if (this.#marks.has(cell)) return markOf(series, this.#charset);
    if (this.#charset === "braille") return String.fromCharCode(0x2800 + at(this.#bits, cell, "cell"));
    return this.#marked.has(series) ? ASCII_LINE : markOf(series, "ascii");
  }
}
