import { at } from "@isthmus/core";

/** One column of a text table. */
export interface Column {
  /** Text above the cells of the column. */
  readonly title: string;
  /** The side that cells are set on, right for numbers. @defaultValue "left" */
  readonly align?: "left" | "right";
}

const GAP = "  ";

/** Smallest width in which the last column is set beside the others; with less it is set below them. */
const LEAST_WIDTH = 24;

/** Number of spaces before a last column that is set below its row. */
const INDENT = 4;

/**
 * Formats rows as text in columns under their titles; lines end without spaces.
 * @param rows - a cell for every column in each
 * @param width - columns of the screen: words of the last column that do not fit go to further lines
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number = Number.POSITIVE_INFINITY,
): string {
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => at(row, index, "cell").length)),
  );
  const last = columns.length - 1;
  const lastWidth = at(widths, last, "column");
  const place = widths.slice(0, last).reduce((sum, columnWidth) => sum + columnWidth + GAP.length, 0);
  const below = width - place < Math.min(LEAST_WIDTH, lastWidth);
  const formatRow = (cells: readonly string[]): string => {
    const others = columns.slice(0, last).map(({ align }, index) => {
      const text = at(cells, index, "cell");
      const columnWidth = at(widths, index, "column");
      return align === "right" ? text.padStart(columnWidth) : text.padEnd(columnWidth);
    });
    const cell = at(cells, last, "cell");
    const start = others.join(GAP);
    if (below)
      return [start.trimEnd(), ...wrap(cell, width - INDENT).map((line) => " ".repeat(INDENT) + line)].join(
        "\n",
      );
    const full = columns[last]?.align === "right" ? cell.padStart(lastWidth) : cell;
    const [first = "", ...more] = wrap(full, width - place);
    return [[...others, first].join(GAP).trimEnd(), ...more.map((line) => " ".repeat(place) + line)].join(
      "\n",
    );
  };
  return [titles, ...rows].map(formatRow).join("\n");
}

/** Breaks text at spaces into lines of some width; longer words stay whole. */
export function wrap(text: string, width: number): string[] {
  if (text.length <= width) return text === "" ? [] : [text];
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Formats names and values as text, one pair a line, values in one column. */
export function formatPairs(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}${GAP}${value}`.trimEnd()).join("\n");
}

/** Formats a number of bytes in the unit that suits it: `3.70 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toPrecision(3)} ${units[power]}`;
}
