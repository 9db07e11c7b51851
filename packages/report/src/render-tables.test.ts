import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planeResult, starResult, studyResult } from "../test/results.ts";
import { renderTables, toCsv } from "./render-tables.ts";

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
  it("renderTables() writes every table of a result at full precision", () => {
    const tables = renderTables(planeResult());
    expect(tables.map(({ name }) => name)).toEqual(["models", "paths", "grid"]);
    const [head, first] = parseCsv(tables[2]?.csv ?? "");
    expect(head).toEqual(["x", "y", "Loss (nats)", "Error"]);
    expect(first?.map(Number)).toEqual([-6, -7, planeResult().loss[0]?.[0], planeResult().error[0]?.[0]]);
  });

  it("renderTables() leaves empty what was not measured, and names groups and units", () => {
    const predictors = renderTables(starResult()).find(({ name }) => name === "predictors");
    expect(
      parseCsv(predictors?.csv ?? "")
        .at(-1)
        ?.at(-2),
    ).toBe("");
    expect(parseCsv(predictors?.csv ?? "")[0]).toContain("NLL (nats)");
    expect(renderTables(studyResult()).map(({ name }) => name)).toEqual(["barriers", "networks"]);
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
