import { describe, expect, it } from "vitest";
import { comparisonResult } from "../../recipe/test/comparison-result.ts";
import { barrierCurve } from "../test/barrier-curve.ts";
import { curveResult, layersResult, planeResult, starResult, studyResult } from "../test/results.ts";
import { renderFigures } from "./render-figures.ts";
import { renderPdfFigures } from "./render-pdf-figures.ts";

const RESULTS = [
  barrierCurve("as trained", 1.387, true).result,
  layersResult(),
  planeResult(),
  curveResult(),
  starResult(),
  studyResult(),
  comparisonResult(),
];
/** Bytes as characters, of which each has a code below 256. */
const textOf = (pdf: Uint8Array): string => Buffer.from(pdf).toString("latin1");

describe("renderPdfFigures()", () => {
  it.each(RESULTS)(
    "renderPdfFigures() writes every figure of a $kind as a whole file of one page",
    async (result) => {
      const figures = await renderFigures(result);
      const pdfs = await renderPdfFigures(result);
      expect(pdfs.map(({ name }) => name)).toEqual(figures.map(({ name }) => name));
      for (const [index, { pdf }] of pdfs.entries()) {
        const text = textOf(pdf);
        const [, width, height] =
          /^<svg (?=[^>]* width="(\d+)")(?=[^>]* height="(\d+)")/.exec(figures[index]?.svg ?? "") ?? [];
        expect(text).toContain(`/MediaBox [0 0 ${0.75 * Number(width)} ${0.75 * Number(height)}]`);
        expect(/NaN|undefined|Infinity|e-\d/.exec(text)?.[0]).toBeUndefined();
      }
    },
  );

  it("renderPdfFigures() writes where every object begins, and how long the page is", async () => {
    const [figure] = await renderPdfFigures(planeResult());
    const text = textOf(figure?.pdf ?? new Uint8Array());
    const table = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1]);
    const entries = text.slice(table).match(/^\d{10} \d{5} [nf] $/gm) ?? [];
    expect(text.slice(table)).toContain(`xref\n0 ${entries.length}\n`);
    for (const [number, entry] of entries.entries()) {
      if (number === 0) continue;
      expect(text.slice(Number(entry.slice(0, 10)))).toMatch(new RegExp(`^${number} 0 obj\n`));
    }
    const [, length, stream = ""] = /\/Length (\d+) >>\nstream\n([\s\S]*?)endstream/.exec(text) ?? [];
    expect(stream).toHaveLength(Number(length));
    expect(stream.match(/^q$/gm)?.length).toBe(stream.match(/^Q$/gm)?.length);
  });

  it("renderPdfFigures() has the colours of the theme, and says what the figure shows", async () => {
    const channels = (color: string) =>
      [1, 3, 5]
        .map((at) => Number((Number.parseInt(color.slice(at, at + 2), 16) / 255).toFixed(3)))
        .join(" ");
    for (const [theme, background, curve] of [
      ["light", "#ffffff", "#c85200"],
      ["dark", "#171b1f", "#ff9350"],
    ] as const) {
      const [figure] = await renderPdfFigures(curveResult(), { theme });
      const text = textOf(figure?.pdf ?? new Uint8Array());
      expect(text).toContain(`${channels(background)} rg`);
      expect(text).toContain(`${channels(curve)} RG`);
      const utf16 = [...(figure?.title ?? "")].map((letter) =>
        letter.charCodeAt(0).toString(16).padStart(4, "0"),
      );
      expect(text).toContain(`/Title <feff${utf16.join("")}>`);
    }
    await expect(renderPdfFigures(curveResult(), { theme: "auto" as never })).rejects.toThrow(TypeError);
  });

  it("renderPdfFigures() gives the same bytes for the same result", async () => {
    const [first, second] = [await renderPdfFigures(layersResult()), await renderPdfFigures(layersResult())];
    expect(first.map(({ pdf }) => textOf(pdf))).toEqual(second.map(({ pdf }) => textOf(pdf)));
  });
});
