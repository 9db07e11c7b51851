import type { LayerCut } from "@isthmus/barrier";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { barrierCurve } from "../test/barrier-curve.ts";
import { layersResult, planeResult, starResult, studyResult } from "../test/results.ts";
import { type RenderedTable, renderTables, toCsv } from "./render-tables.ts";

/** Reads what RFC 4180 says, to compare. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  const cells = text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g);
  let row: string[] = [];
  for (const [, quoted, plain = "", end] of cells) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

describe("renderTables()", () => {
  it("renderTables() has the perplexity of language models, and of no others", async () => {
    const [plain, { result }] = [barrierCurve("plain", 1), barrierCurve("text", 1)] as const;
    const points = result.points.map((point) => ({ ...point, perplexity: Math.exp(point.loss) }));
    const columnOf = (tables: readonly RenderedTable[], name: string, title: RegExp) => {
      const [head = [], ...rows] = parseCsv(tables.find((table) => table.name === name)?.csv ?? "");
      const column = head.findIndex((cell) => title.test(cell));
      return column === -1 ? undefined : rows.map((row) => Number(row[column]));
    };
    const text = await renderTables({ ...result, points });
    expect(columnOf(text, "points", /perplexity/i)).toEqual(points.map(({ perplexity }) => perplexity));
    expect(columnOf(await renderTables(plain.result), "points", /perplexity/i)).toBeUndefined();
    const definitions = text.find(({ name }) => name === "definitions")?.csv ?? "";
    expect(definitions).toContain(`Perplexity at the barrier,${Math.exp(result.points[12]?.loss ?? 0)}`);
    const layers = layersResult();
    const words = ({ points: measured, ...cut }: LayerCut): LayerCut => ({
      ...cut,
      points: measured.map((point) => ({ ...point, perplexity: Math.exp(point.loss) })),
    });
    const tables = await renderTables({
      ...layers,
      whole: words(layers.whole),
      layers: layers.layers.map(({ a, b, ...layer }) => ({ ...layer, a: words(a), b: words(b) })),
    });
    const halfway = [...layers.layers.map(({ b }) => b), layers.whole].map((cut) =>
      Math.exp(cut.points[5]?.loss ?? 0),
    );
    expect(columnOf(tables, "layers", /Perplexity half-way, others as in B/)).toEqual(halfway);
    expect(columnOf(tables, "layer-points", /Perplexity/)?.length).toBe(11 * (2 * layers.layers.length + 1));
    expect(columnOf(await renderTables(layers), "layers", /Perplexity/)).toBeUndefined();
  });

  it("renderTables() writes every table of a result at full precision", async () => {
    const tables = await renderTables(planeResult());
    expect(tables.map(({ name }) => name)).toEqual(["models", "paths", "roughness", "minima", "grid"]);
    const [head, first] = parseCsv(tables.at(-1)?.csv ?? "");
    expect(head).toEqual(["x", "y", "Loss (nats)", "Error"]);
    expect(first?.map(Number)).toEqual([-6, -7, planeResult().loss[0]?.[0], planeResult().error[0]?.[0]]);
  });

  it("renderTables() leaves empty what was not measured, and names groups and units", async () => {
    const predictors = (await renderTables(starResult())).find(({ name }) => name === "predictors");
    expect(
      parseCsv(predictors?.csv ?? "")
        .at(-1)
        ?.at(-2),
    ).toBe("");
    expect(parseCsv(predictors?.csv ?? "")[0]).toContain("NLL (nats)");
    expect((await renderTables(studyResult())).map(({ name }) => name)).toEqual(["barriers", "networks"]);
  });
});

describe("toCsv()", () => {
  it("toCsv() quotes whatever needs it, so that it is read back the same", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { minLength: 1 }), (cells) => {
        const columns = ["one", "two"].map((title) => ({ title, kind: "text" as const }));
        const csv = toCsv({
          name: "t",
          title: "",
          caption: "",
          columns,
          rows: cells.map((row) => ({ cells: row })),
        });
        expect(parseCsv(csv)).toEqual([["one", "two"], ...cells]);
      }),
    );
    expect(
      toCsv({ name: "t", title: "", caption: "", columns: [{ title: 'a, "b"', kind: "text" }], rows: [] }),
    ).toBe('"a, ""b"""\r\n');
  });
});
