import { expect, it } from "vitest";
import type { Report } from "./report.ts";
import { withLossColumns } from "./with-loss-columns.ts";

/** A report of a result whose errors were not measured. */
const REPORT: Report = {
  ...{ subject: "anything", summary: "A sentence.", tiles: [], facts: [], data: { kind: "anything" } },
  sections: [
    {
      ...{ name: "all", title: "All", figures: [] },
      tables: [
        {
          ...{ name: "all", title: "All", caption: "Numbers." },
          columns: [
            { title: "Place", kind: "text" },
            { title: "Loss", kind: "loss" },
            { title: "Error", kind: "share" },
            { title: "Share", kind: "share" },
            { title: "NLL", kind: "loss", unit: "nats" },
          ],
          rows: [{ cells: ["a", 2, Number.NaN, 0.5, 1] }, { cells: ["b", 3, null, null, 1] }],
        },
      ],
    },
  ],
};

it("withLossColumns() leaves the report of a usual loss as it is", () => {
  expect(withLossColumns(REPORT, { kind: "barrier" })).toBe(REPORT);
});

it("withLossColumns() names the unit once for all columns, and leaves out errors that were not measured", () => {
  const result = { lossKind: "mean-absolute-error", lossUnit: "units" };
  const [table] = withLossColumns(REPORT, result).sections[0]?.tables ?? [];
  expect(table?.columns).toEqual([
    { title: "Place", kind: "text" },
    { title: "Loss", kind: "loss", unit: "units" },
    { title: "Share", kind: "share" },
    { title: "NLL", kind: "loss", unit: "nats" },
  ]);
  expect(table?.rows.map(({ cells }) => cells)).toEqual([
    ["a", 2, 0.5, 1],
    ["b", 3, null, 1],
  ]);
});

it("withLossColumns() makes losses without a unit plain numbers", () => {
  const [table] = withLossColumns(REPORT, { lossKind: "function" }).sections[0]?.tables ?? [];
  expect(table?.columns[1]).toEqual({ title: "Loss", kind: "number" });
});

it("withLossColumns() keeps columns of errors of a loss that has some", () => {
  const result = { lossKind: "binary-cross-entropy", lossUnit: "nats" };
  const [table] = withLossColumns(REPORT, result).sections[0]?.tables ?? [];
  expect(table?.columns.map(({ title }) => title)).toContain("Error");
});
