import type { HeatBorder, HeatOverlay } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { customMark, type Drawn } from "./custom-mark.ts";

/** Strokes of lines and dots: a halo that separates them from any colour below, and the line itself. */
const STROKES = [
  { stroke: "var(--isthmus-background)", "stroke-width": 6 },
  { stroke: "var(--isthmus-text)", "stroke-width": 2.5 },
] as const;
const DASHES = ["none", "6 4", "2 4"] as const;
const DOT = { radius: 4, inset: 9 } as const;

/** Draws borders and dots over the cells of a heat map with the given numbers of rows and columns. */
export function heatOverlay(
  { borders, dots }: HeatOverlay,
  rows: readonly string[],
  columns: readonly string[],
): Markish {
  return customMark((drawn) => {
    const x = edgesOf(drawn, "x", columns);
    const y = edgesOf(drawn, "y", rows);
    borders.forEach(({ upper }, index) => {
      const d = segments(upper, x, y).join("");
      if (d === "") return;
      const dash = DASHES[Math.min(index, DASHES.length - 1)] ?? "none";
      for (const [layer, stroke] of STROKES.entries()) {
        const dashed = layer === 0 ? "none" : dash;
        drawn.add("path", {
          d,
          fill: "none",
          "stroke-linecap": "butt",
          "stroke-dasharray": dashed,
          ...stroke,
        });
      }
    });
    for (const [row, column] of dots) {
      const [left, top] = [x(column) + DOT.inset, y(row) + DOT.inset];
      const { radius } = DOT;
      drawn.add("path", {
        d: `M${left - radius},${top}a${radius},${radius} 0 1 0 ${2 * radius},0a${radius},${radius} 0 1 0 ${-2 * radius},0Z`,
        fill: "var(--isthmus-text)",
        stroke: "var(--isthmus-background)",
        "stroke-width": 1.5,
      });
    }
  });
}

/**
 * Returns a function that gives the position at which a cell of an axis begins, in pixels: cells are evenly
 * spaced around the middle of the frame.
 */
function edgesOf(
  { scales, frame }: Drawn,
  axis: "x" | "y",
  names: readonly string[],
): (index: number) => number {
  const [begin, end] =
    axis === "x"
      ? [frame.marginLeft, frame.width - frame.marginRight]
      : [frame.marginTop, frame.height - frame.marginBottom];
  const [first = "", last = ""] = [names[0], names.at(-1)];
  const apart = Number(scales[axis]?.(last)) - Number(scales[axis]?.(first));
  const step = names.length > 1 ? apart / (names.length - 1) : end - begin;
  const from = (begin + end - step * names.length) / 2;
  return (index) => from + index * step;
}

/** Lists the sides between two neighbouring cells of which exactly one is on the upper side of the border. */
function segments(
  upper: HeatBorder["upper"],
  x: (column: number) => number,
  y: (row: number) => number,
): string[] {
  const differ = (one: boolean | null | undefined, other: boolean | null | undefined) =>
    typeof one === "boolean" && typeof other === "boolean" && one !== other;
  return upper.flatMap((cells, row) =>
    cells.flatMap((cell, column) => [
      ...(differ(cell, cells[column + 1]) ? [`M${x(column + 1)},${y(row)}V${y(row + 1)}`] : []),
      ...(differ(cell, upper[row + 1]?.[column]) ? [`M${x(column)},${y(row + 1)}H${x(column + 1)}`] : []),
    ]),
  );
}
