import { describe, expect, it } from "vitest";
import { layersResult, planeResult, studyResult } from "../../test/results.ts";
import { renderFigures } from "./render-figures.ts";

describe("renderFigures()", () => {
  it("renderFigures() draws figures that stand alone, under names of their own", async () => {
    const figures = [
      ...(await renderFigures(layersResult())),
      ...(await renderFigures(planeResult())),
      ...(await renderFigures(studyResult())),
    ];
    expect(figures.map(({ name }) => name)).toEqual([
      "layers",
      "cumulative",
      "predictions",
      "interactions-a",
      "interactions-b",
      "robustness",
      "along-a",
      "along-b",
      "plane-loss",
      "plane-error",
      "figure-1",
      "figure-2",
      "figure-3",
    ]);
    for (const { svg } of figures) {
      expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
      expect(svg).toContain("--isthmus-text:");
      expect(/NaN|undefined|Infinity/.exec(svg)?.[0]).toBeUndefined();
    }
  });

  it("renderFigures() draws a contour for every level of a plane, models and paths", async () => {
    const [loss] = await renderFigures(planeResult());
    const svg = loss?.svg ?? "";
    expect(svg.match(/aria-label="contour"/g)).toHaveLength(8);
    for (const words of ["bend", "Bezier curve", "straight line", "1.5"])
      expect(svg).toContain(`>${words}</text>`);
  });

  it("renderFigures() draws values that are all alike, and a plane of one value", async () => {
    const plane = planeResult();
    const flat = plane.loss.map((row) => row.map(() => 0));
    const [loss] = await renderFigures({ ...plane, loss: flat, error: flat });
    expect(loss?.svg).not.toMatch(/NaN|undefined|Infinity/);
    const study = studyResult();
    const tables = study.tables.map((table) => ({
      ...table,
      rows: table.rows.map((row) => ({ ...row, seconds: 0, accuracy: 1 })),
    }));
    for (const { svg } of await renderFigures({ ...study, tables }))
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("renderFigures() draws a plane of which some values, or all, are negative", async () => {
    const plane = planeResult();
    for (const low of [1, 100]) {
      const values = plane.loss.map((row) => row.map((value, column) => (column < low ? -1 - value : value)));
      for (const { svg } of await renderFigures({ ...plane, loss: values, error: values })) {
        expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      }
    }
  });

  it("renderFigures() writes every place of a logarithmic axis", async () => {
    const study = studyResult();
    const widths = [4, 8, 16, 32, 64, 128, 256];
    const rows = widths.map((width) => ({
      width,
      barrier: 1 / width,
      low: 0.5 / width,
      high: 2 / width,
      series: "",
    }));
    const tables = study.tables.map((table) => (table.name === "barriers" ? { ...table, rows } : table));
    const [first] = await renderFigures({ ...study, tables });
    for (const width of widths) expect(first?.svg).toContain(`>${width}</text>`);
  });
});
