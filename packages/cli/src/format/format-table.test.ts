import { describe, expect, it } from "vitest";
import { formatBytes, formatPairs, formatTable } from "./format-table.ts";

describe("formatTable(), formatPairs()", () => {
  it("formatTable() sets columns, numbers on the right, and leaves no spaces at the end", () => {
    const columns = [{ title: "name" }, { title: "size", align: "right" as const }, { title: "note" }];
    expect(
      formatTable(columns, [
        ["a", "10", ""],
        ["long name", "2", "x"],
      ]),
    ).toBe(["name       size  note", "a            10", "long name     2  x"].join("\n"));
  });

  it("formatTable() stops at a row without a cell for every column", () => {
    expect(() => formatTable([{ title: "name" }, { title: "size" }], [["a"]])).toThrow(/No cell 1 among 1/);
  });

  it("formatPairs() sets values in one column", () => {
    expect(
      formatPairs([
        ["a", "1"],
        ["long", ""],
      ]),
    ).toBe("a     1\nlong");
    expect(formatPairs([])).toBe("");
  });
});

describe("formatBytes()", () => {
  it("formatBytes() chooses the unit", () => {
    const cases: [number, string][] = [
      [0, "0 bytes"],
      [999, "999 bytes"],
      [1000, "1.00 kB"],
      [3_730_104, "3.73 MB"],
      [100e9, "100 GB"],
      [5e15, "5.00 PB"],
    ];
    for (const [bytes, text] of cases) expect(formatBytes(bytes)).toBe(text);
  });
});
