import { describe, expect, it } from "vitest";
import { alikeFormat, formatAs, narrowFormat } from "./number-format.ts";

describe("formatAs()", () => {
  it("formatAs() writes a number by the name of its format", () => {
    expect(formatAs(1 / 3, "short")).toBe("0.333");
    expect(formatAs(0.015, "percent")).toBe("1.5");
    expect(formatAs(0.015, "exact")).toBe("0.015");
    expect(formatAs(2.25, { notation: "fixed", decimals: 1 })).toBe("2.3");
  });
});

describe("alikeFormat()", () => {
  it("alikeFormat() gives all numbers the decimals of the largest", () => {
    const texts = (...values: number[]) => values.map((value) => formatAs(value, alikeFormat(values)));
    expect(texts(0.0741, 0.08, -1.5)).toEqual(["0.07", "0.08", "-1.50"]);
    expect(texts(0.0741, 0.08)).toEqual(["0.0741", "0.0800"]);
    expect(texts(1234, 5.6)).toEqual(["1234", "6"]);
    expect(texts(0, -0.001, 2)).toEqual(["0.00", "0.00", "2.00"]);
    expect(texts(0, 0)).toEqual(["0", "0"]);
    expect(texts(2e-9)).toEqual(["2.0e-9"]);
    expect(formatAs(3, alikeFormat([Number.NaN, 3]))).toBe("3.00");
  });
});

describe("narrowFormat()", () => {
  it("narrowFormat() has two digits and no 0 before the point", () => {
    expect([0.456, -0.02, 0].map((value) => formatAs(value, narrowFormat([0.456])))).toEqual([
      ".46",
      "-0.02",
      ".00",
    ]);
  });
});
