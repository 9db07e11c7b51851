import { expect, it } from "vitest";
import { studyResult } from "../../test/results.ts";
import { renderFigures } from "../render-figures.ts";

const NAMES = ["a", "b", "c"];
const ROWS = NAMES.flatMap((y, i) => NAMES.map((x, k) => ({ x, y, value: i + k })));

/** A study of a grid of three by three cells whose values rise toward the last. */
function grid(figure: object) {
  const columns = ["x", "y", "value"].map((key) => ({ key, title: key }));
  const heat = { title: "Grid", caption: "C.", table: "grid", mark: "heat", x: "x", y: "y", color: "value" };
  return {
    ...studyResult(),
    tables: [{ name: "grid", title: "Grid", columns, rows: ROWS }],
    figures: [{ ...heat, ...figure } as never],
  };
}

it("heatOverlay() draws a border between cells on either side, and dots on the best cells", async () => {
  const [plain] = await renderFigures(grid({}));
  const [drawn] = await renderFigures(grid({ borders: [{ of: "value", at: 2 }], best: "least" }));
  const linesOf = (svg = "") =>
    [...svg.matchAll(/<path[^>]*fill="none"[^>]*d="([^"]*)"|<path[^>]*d="([^"]*)"[^>]*fill="none"/g)].map(
      ([, one, other]) => one ?? other ?? "",
    );
  expect(linesOf(plain?.svg)).toEqual([]);
  const [halo, line] = linesOf(drawn?.svg);
  expect(line).toBe(halo);
  // A staircase through the middle: two sides of each of the cells (0, 1), (1, 0), (0, 2) and (2, 0) that differ.
  expect(line?.match(/M/g)).toHaveLength(4);
  expect(drawn?.svg.match(/a4,4 0 1 0 8,0/g)).toHaveLength(3);
});
