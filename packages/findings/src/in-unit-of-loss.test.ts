import { expect, it } from "vitest";
import { inUnitOfLoss, lossLabel } from "./in-unit-of-loss.ts";
import type { Report } from "./report.ts";

/** A report as descriptions make it, of a result whose errors were not measured. */
const REPORT: Report = {
  subject: "anything",
  summary: "The loss rises by 2 nats.",
  tiles: [{ name: "rise", value: "2", unit: "nats", more: ["worst error NaN %", "from 1 to 3 nats"] }],
  sections: [
    {
      name: "all",
      title: "All",
      figures: [
        {
          ...{
            name: "loss",
            title: "Loss,",
            caption: "in nats on data.",
            words: "Loss, in nats.",
            table: "all",
          },
          size: "half",
          plot: { kind: "strips", rows: [], axis: { label: "Loss (nats)" } } as never,
        },
        {
          ...{
            name: "error",
            title: "Error,",
            caption: "in percent.",
            words: "From NaN % to NaN %.",
            table: "all",
          },
          size: "half",
          plot: { kind: "strips", rows: [], axis: { label: "Error (%)" } } as never,
        },
      ],
      tables: [
        {
          ...{ name: "all", title: "All", caption: "Loss in nats, error in percent." },
          columns: [
            { title: "Place", kind: "text" },
            { title: "Loss", kind: "loss" },
            { title: "Error", kind: "share" },
          ],
          rows: [{ cells: ["a", 2, Number.NaN] }, { cells: ["b", 3, null] }],
        },
      ],
    },
  ],
  facts: [],
  data: { kind: "anything", unit: "nats" },
};

it("the report of a usual loss stays as it is", () => {
  expect(inUnitOfLoss(REPORT, { kind: "barrier" })).toBe(REPORT);
  expect(lossLabel("Loss", {})).toBe("Loss (nats)");
});

it("a report is in the unit of its loss, without figures, columns and lines of errors that are none", () => {
  const result = { lossKind: "mean-absolute-error", lossUnit: "units" };
  const { summary, tiles, sections, data } = inUnitOfLoss(REPORT, result);
  expect(summary).toBe("The loss rises by 2 units.");
  expect(tiles).toEqual([{ name: "rise", value: "2", unit: "units", more: ["from 1 to 3 units"] }]);
  expect(sections[0]?.figures).toMatchObject([
    { name: "loss", caption: "in units on data.", plot: { axis: { label: "Loss (units)" } } },
  ]);
  expect(sections[0]?.tables).toMatchObject([
    {
      caption: "Loss in units.",
      columns: [{ title: "Place" }, { title: "Loss", unit: "units" }],
      rows: [{ cells: ["a", 2] }, { cells: ["b", 3] }],
    },
  ]);
  // What a page carries as JSON is the result itself.
  expect(data).toBe(REPORT.data);
  expect(lossLabel("Loss", result)).toBe("Loss (units)");
});

it("a report of a loss without a unit names none", () => {
  const { summary, tiles, sections } = inUnitOfLoss(REPORT, { lossKind: "several" });
  expect(summary).toBe("The loss rises by 2.");
  expect(tiles).toMatchObject([{ unit: "", more: ["from 1 to 3"] }]);
  expect(JSON.stringify(sections)).not.toMatch(/nats|\(\)/);
  expect(lossLabel("Loss", { lossKind: "several" })).toBe("Loss");
});
