import { round } from "./markup.ts";

/** Losses on a grid, row by row. */
export interface Surface {
  readonly columns: number;
  readonly rows: number;
  readonly values: readonly number[];
}

/** Rectangle of a picture in which a grid is drawn. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

type Corner = readonly [x: number, y: number, value: number];

/**
 * Returns the path of the area in which values are at least a level: cells are cut where the level lies between two of their
 * corners. The first row is drawn at the bottom.
 */
export function areaAbove({ columns, rows, values }: Surface, box: Box, level: number): string {
  const parts: string[] = [];
  const x = (column: number) => box.left + (column / (columns - 1)) * box.width;
  const y = (row: number) => box.top + (1 - row / (rows - 1)) * box.height;
  const value = (column: number, row: number) => values[row * columns + column] ?? 0;
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const corners = [
        [column, row],
        [column + 1, row],
        [column + 1, row + 1],
        [column, row + 1],
      ].map(([c = 0, r = 0]): Corner => [x(c), y(r), value(c, r)]);
      // Whole cells of a row are joined, which makes the path short.
      let end = column;
      while (end + 1 < columns && isWhole(end)) end++;
      if (end > column) {
        parts.push(
          `M${round(x(column))} ${round(y(row))}H${round(x(end))}V${round(y(row + 1))}H${round(x(column))}Z`,
        );
        column = end - 1;
      } else parts.push(cut(corners, level));
    }
    function isWhole(column: number): boolean {
      return [0, 1].every((c) => [0, 1].every((r) => value(column + c, row + r) >= level));
    }
  }
  return parts.join("");
}

/** Returns the part of a cell that is above a level, as a path; empty if there is none. */
function cut(corners: readonly Corner[], level: number): string {
  const kept = corners.flatMap((from, i) => {
    const to = corners[(i + 1) % corners.length] ?? from;
    const inside: (readonly [number, number])[] = from[2] >= level ? [[from[0], from[1]]] : [];
    if (from[2] >= level === to[2] >= level) return inside;
    const share = (level - from[2]) / (to[2] - from[2]);
    return [...inside, [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])] as const];
  });
  if (kept.length < 3) return "";
  return `M${kept.map(([px, py]) => `${round(px)} ${round(py)}`).join("L")}Z`;
}
