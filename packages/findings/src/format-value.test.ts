import { describe, expect, it } from "vitest";
import {
  formatBarrier,
  formatCount,
  formatCounted,
  formatMeasure,
  formatNumber,
  formatPlace,
} from "./format-value.ts";

describe("formatNumber()", () => {
  it("formatNumber() keeps four significant digits, three below 0.1", () => {
    const cases: [number, string][] = [
      [1.38712, "1.387"],
      [0.00742, "0.00742"],
      [0.0656, "0.0656"],
      [0.5, "0.5000"],
      [-0.0123456, "-0.0123"],
      [224.6789, "224.7"],
      [123456, "123456"],
      [1234567, "1.23e+6"],
      [0.00001234, "1.23e-5"],
      [0, "0"],
      [Number.NaN, "NaN"],
    ];
    for (const [value, text] of cases) expect(formatNumber(value)).toBe(text);
  });
});

describe("formatMeasure(), formatBarrier(), formatPlace(), formatCount()", () => {
  it("formatMeasure() writes errors as percentages", () => {
    expect(formatMeasure(0.01634, "error")).toBe("1.63 %");
    expect(formatMeasure(0.5, "loss")).toBe("0.5000");
  });

  it("formatBarrier() writes differences of errors in points", () => {
    expect(formatBarrier(0.032, "error")).toBe("3.20 points");
  });

  it("formatPlace() and formatCount() write no needless digits", () => {
    expect(formatPlace(1 / 24)).toBe("0.0417");
    expect(formatPlace(0.5)).toBe("0.5");
    expect(formatCount(10_000)).toBe("10,000");
    expect([1, 2, 10_000].map((count) => formatCounted(count, "pair"))).toEqual([
      "1 pair",
      "2 pairs",
      "10,000 pairs",
    ]);
    expect(formatCounted(2, "axis", "axes")).toBe("2 axes");
  });
});
