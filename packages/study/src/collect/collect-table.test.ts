import { describe, expect, it } from "vitest";
import type { TableDescription } from "../description/table-description.ts";
import type { StudyTable } from "../study-result.ts";
import { collectTable } from "./collect-table.ts";

const RESULTS = new Map<string, object>([
  [
    "a",
    {
      height: 1,
      parts: [
        { name: "one", size: 10 },
        { name: "two", size: 20 },
      ],
    },
  ],
  [
    "b",
    {
      height: 3,
      parts: [
        { name: "one", size: 30 },
        { name: "two", size: null },
      ],
    },
  ],
  ["c", { height: 5, parts: [] }],
]);
const HALLS = [
  { hall: "north", rows: [{ seats: 5 }, { seats: 7 }] },
  { hall: "south", rows: [{ seats: 9 }] },
];
for (const result of RESULTS.values()) Object.assign(result, { halls: HALLS });
const MEASURED = [
  { variables: { width: 16, method: "weight" }, task: "a" },
  { variables: { width: 4, method: "weight" }, task: "b" },
  { variables: { width: 4, method: "none" }, task: "c" },
];

const collect = (table: Partial<TableDescription>): StudyTable =>
  collectTable(
    "heights",
    { title: "Heights", of: "all", by: ["width"], columns: { width: { title: "Width" } }, ...table },
    { measured: MEASURED, results: RESULTS },
  );

/** Heights by width, measured and known, each in rows of its own. */
const STACKED: Partial<TableDescription> = {
  columns: { width: { title: "Width" }, line: { title: "Line" }, value: { title: "Value" } },
  stack: {
    column: "line",
    parts: {
      measured: { value: { mean: "height" } },
      known: { value: { lookup: { variable: "width", values: { 4: 7, 16: 8 } } } },
    },
  },
};

describe("collectTable()", () => {
  it("collectTable() keeps the sample deviation behind the means that a figure draws with their spread", () => {
    const table: TableDescription = {
      title: "Heights",
      of: "all",
      by: ["width"],
      columns: { width: { title: "Width" }, mean: { title: "Mean", mean: "height" } },
    };
    const collected = collectTable("heights", table, {
      measured: MEASURED,
      results: RESULTS,
      spread: ["mean"],
    });
    // 3 and 5 deviate by 1 from their mean: the sum of squares, 2, is divided by one less than their number.
    expect(collected.columns[1]?.deviations).toEqual([Math.SQRT2, null]);
    expect(collect({ columns: table.columns }).columns[1]).not.toHaveProperty("deviations");
  });

  it("collectTable() makes one number of several, in rows of ascending numbers", () => {
    const { columns, rows } = collect({
      columns: {
        width: { title: "Width" },
        mean: { title: "Mean", unit: "m", mean: "height" },
        std: { title: "Std", std: "height" },
        low: { title: "Low", low: "height" },
        high: { title: "High", high: "height" },
        min: { title: "Min", min: "height" },
        max: { title: "Max", max: "height" },
        count: { title: "N", count: "height" },
        share: { title: "Share", ratio: ["min", "max"] },
        known: { title: "Known", lookup: { variable: "width", values: { 4: 0.5 } } },
      },
    });
    expect(columns[0]).toEqual({ key: "width", title: "Width" });
    expect(columns[1]).toEqual({ key: "mean", title: "Mean", unit: "m", aggregate: "mean", counts: [2, 1] });
    // 3 and 5: deviations 1 and 1, over n - 1 = 1.
    const std = Math.SQRT2;
    expect(rows).toEqual([
      {
        width: 4,
        mean: 4,
        std,
        low: 4 - std,
        high: 4 + std,
        min: 3,
        max: 5,
        count: 2,
        share: 0.6,
        known: 0.5,
      },
      {
        width: 16,
        mean: 1,
        std: null,
        low: null,
        high: null,
        min: 1,
        max: 1,
        count: 1,
        share: 1,
        known: null,
      },
    ]);
  });

  it("collectTable() counts the results behind the numbers of stacked rows, those of no result as none", () => {
    const { columns } = collect(STACKED);
    expect(columns[2]).toEqual({ key: "value", title: "Value", aggregate: "mean", counts: [2, 1, 0, 0] });
  });

  it("collectTable() keeps texts in the order of the plan, shows labels, and leaves out what is not wanted", () => {
    const method = { title: "Method", labels: { none: "as trained" } };
    expect(collect({ by: ["method"], columns: { method } }).rows).toEqual([
      { method: "weight" },
      { method: "as trained" },
    ]);
    const where = { method: ["none"], width: 4 };
    expect(collect({ by: ["method"], where, columns: { method } }).rows).toEqual([{ method: "as trained" }]);
    const columns = { width: { title: "Width" }, sum: { title: "Mean", mean: "height" } };
    const either = [{ width: 16 }, { method: "none", width: 4 }];
    expect(collect({ where: either, columns }).rows).toEqual([
      { width: 4, sum: 5 },
      { width: 16, sum: 1 },
    ]);
  });

  it("collectTable() takes the entries of a list in each result, by their own fields", () => {
    const { rows } = collect({
      each: "parts",
      by: ["name"],
      columns: { part: { title: "Part", variable: "name" }, size: { title: "Size", mean: "size" } },
    });
    expect(rows).toEqual([
      { part: "one", size: 20 },
      { part: "two", size: 20 },
    ]);
  });

  it("collectTable() takes the entries of lists in lists, by fields around them and their places", () => {
    const { rows } = collect({
      each: "halls.*.rows",
      by: ["hall", "number"],
      columns: {
        hall: { title: "Hall" },
        number: { title: "Row" },
        seats: { title: "Seats", mean: "seats" },
      },
    });
    expect(rows).toEqual([
      { hall: "north", number: 1, seats: 5 },
      { hall: "north", number: 2, seats: 7 },
      { hall: "south", number: 1, seats: 9 },
    ]);
  });

  it("collectTable() restricts a column to some of the results of its row", () => {
    const where = { method: "none" };
    const { rows } = collect({
      columns: { width: { title: "Width" }, none: { title: "None", mean: "height", where } },
    });
    expect(rows).toEqual([
      { width: 4, none: 5 },
      { width: 16, none: null },
    ]);
  });

  it("collectTable() stacks rows under labels, each with sources of its own", () => {
    const { rows } = collect(STACKED);
    expect(rows).toEqual([
      { width: 4, line: "measured", value: 4 },
      { width: 16, line: "measured", value: 1 },
      { width: 4, line: "known", value: 7 },
      { width: 16, line: "known", value: 8 },
    ]);
  });

  it.each([
    [
      { columns: { x: { title: "X", mean: "hight" } } },
      /the path of column "x" must lead somewhere in a result: "hight" does in none of 3/,
    ],
    [{ each: "pars" }, /"each" must lead to a list in every result: "pars" does not/],
    [{ each: "parts", by: ["nome"], columns: { nome: { title: "N" } } }, /"nome" is none/],
  ])("collectTable() refuses what leads nowhere: %j", (table, message) => {
    expect(() => collect(table as Partial<TableDescription>)).toThrow(message);
  });

  it("collectTable() gives the same numbers whatever the order of results", () => {
    const columns = { mean: { title: "Mean", mean: "height" }, std: { title: "Std", std: "height" } };
    const table: TableDescription = { title: "", of: "all", by: ["all"], columns };
    const values = [0.1, 0.7, 1e-9, 0.3, 12, 0.2];
    const rowsOf = (order: readonly number[]) => {
      const measured = order.map((i) => ({ variables: { all: 1 }, task: String(i) }));
      const results = new Map(values.map((height, i) => [String(i), { height }]));
      return collectTable("heights", table, { measured, results }).rows;
    };
    expect(rowsOf([5, 3, 1, 0, 2, 4])).toEqual(rowsOf([0, 1, 2, 3, 4, 5]));
  });
});
