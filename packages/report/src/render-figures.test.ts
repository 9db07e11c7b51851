import { describe, expect, it } from "vitest";
import { curveResult, layersResult, planeResult, studyResult } from "../test/results.ts";
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
      "merge-tree",
      "barcode",
      "figure-1",
      "figure-2",
      "figure-3",
    ]);
    for (const { svg } of figures) {
      expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
      expect(/var\(|<style|class=|currentColor|paint-order/.exec(svg)?.[0]).toBeUndefined();
      expect(/NaN|undefined|Infinity/.exec(svg)?.[0]).toBeUndefined();
    }
  });

  it("renderFigures() draws in the colours of the theme, on its background", async () => {
    for (const [theme, background, curve] of [
      ["light", "#ffffff", "#c85200"],
      ["dark", "#171b1f", "#ff9350"],
    ] as const) {
      const [figure] = await renderFigures(curveResult(), { theme });
      expect(figure?.svg).toMatch(
        new RegExp(
          `^<svg [^>]*><rect (?=[^>]*fill="${background}")(?=[^>]*width="960")(?=[^>]*height="420")`,
        ),
      );
      expect(figure?.svg).toContain(`stroke="${curve}"`);
    }
    await expect(renderFigures(curveResult(), { theme: "auto" as never })).rejects.toThrow(TypeError);
  });

  it("renderFigures() draws the halo of words before the words, as elements of their own", async () => {
    const [figure] = await renderFigures(planeResult());
    const words = [...(figure?.svg ?? "").matchAll(/<text[^>]*>bend<\/text>/g)].map(([element]) => element);
    expect(words).toHaveLength(2);
    expect(words[0]).toMatch(/aria-hidden="true"/);
    expect(words[0]).toMatch(/stroke="#14181c"/);
    expect(words[1]).toMatch(/stroke="none"/);
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
