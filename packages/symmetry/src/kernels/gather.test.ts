import { gatherInto, strideTable } from "@isthmus/core";
import { describe, expect, test } from "vitest";

describe("gatherInto()", () => {
  const data = Int32Array.from({ length: 24 }, (_, i) => i);

  test("gatherInto() transposes", () => {
    const tables = [strideTable(4, 1), strideTable(3, 4), strideTable(2, 12)];
    const out = gatherInto(data, tables, new Int32Array(24));
    for (let a = 0; a < 4; a++) {
      for (let b = 0; b < 3; b++)
        for (let c = 0; c < 2; c++) expect(out[a * 6 + b * 2 + c]).toBe(c * 12 + b * 4 + a);
    }
  });

  test("gatherInto() repeats along axes of stride 0", () => {
    const out = gatherInto(Int32Array.of(5, 6), [strideTable(2, 1), strideTable(3, 0)], new Int32Array(6));
    expect([...out]).toEqual([5, 5, 5, 6, 6, 6]);
  });

  test("gatherInto() copies long runs in blocks", () => {
    const wide = Uint16Array.from({ length: 3 * 40 }, (_, i) => i);
    const out = gatherInto(wide, [Int32Array.of(80, 0, 40), strideTable(40, 1)], new Uint16Array(120));
    expect([...out.subarray(0, 3), out[40], out[119]]).toEqual([80, 81, 82, 0, 79]);
  });

  test("gatherInto() takes scattered columns of any number, tile by tile", () => {
    for (const columns of [1, 127, 128, 129, 300]) {
      const scattered = Int32Array.from({ length: columns }, (_, i) => ((i * 7) % columns) * 6);
      const tables = [strideTable(2, 3), strideTable(3, 1), scattered];
      const source = Int32Array.from({ length: columns * 6 }, (_, i) => i);
      const out = gatherInto(source, tables, new Int32Array(columns * 6));
      out.forEach((value, at) => {
        expect(value).toBe(Math.floor(at / columns) + (scattered[at % columns] ?? 0));
      });
    }
  });

  test("gatherInto() reads one element without axes, and none of an empty result", () => {
    expect([...gatherInto(Int32Array.of(9), [], new Int32Array(1))]).toEqual([9]);
    expect(gatherInto(data, [strideTable(0, 1)], new Int32Array(0))).toHaveLength(0);
  });
});
