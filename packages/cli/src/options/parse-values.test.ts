import { describe, expect, it } from "vitest";
import { parseBytes, parseCount, parseNumber, parseNumbers, parseScales, parseSeed } from "./parse-values.ts";

describe("parseCount(), parseSeed()", () => {
  it("parseCount() takes whole numbers from the least on", () => {
    expect(parseCount(1)("25")).toBe(25);
    for (const text of ["0", "-1", "2.5", "1e3", "", " ", "x", "99999999999999999999"]) {
      expect(() => parseCount(1)(text)).toThrow("whole number of at least 1");
    }
  });

  it("parseSeed() takes 32 bits", () => {
    expect(parseSeed("4294967295")).toBe(4294967295);
    expect(() => parseSeed("4294967296")).toThrow("less than");
  });
});

describe("parseNumber(), parseNumbers()", () => {
  it("parseNumber() takes finite numbers", () => {
    expect(parseNumber("-1.5e-3")).toBe(-0.0015);
    for (const text of ["", " ", "x", "Infinity", "NaN"]) expect(() => parseNumber(text)).toThrow("a number");
  });

  it("parseNumbers() splits at commas", () => {
    expect(parseNumbers(".5,.25,0.25")).toEqual([0.5, 0.25, 0.25]);
    expect(() => parseNumbers("1,,2")).toThrow("a number");
  });
});

describe("parseScales()", () => {
  it("reads lists, and ranges with both ends", () => {
    expect(parseScales("1")).toEqual([1]);
    expect(parseScales("0.5,1")).toEqual([0.5, 1]);
    expect(parseScales("0.1:0.5:0.1")).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(parseScales("0:1:0.4")).toEqual([0, 0.4, 0.8]);
  });

  it.each(["1:2", "1:2:0", "2:1:0.5", "0:1:0.0001", "1:2:3:4", "0:1:x"])("refuses %s", (text) => {
    expect(() => parseScales(text)).toThrow(/range|number/);
  });
});

describe("parseBytes()", () => {
  it("parseBytes() knows decimal and binary units", () => {
    expect(parseBytes("5GB")).toBe(5e9);
    expect(parseBytes("1.5 kb")).toBe(1500);
    expect(parseBytes("2MiB")).toBe(2 ** 21);
    expect(parseBytes("1000")).toBe(1000);
    for (const text of ["", "GB", "5XB", "0", "-1", "1e3"]) expect(() => parseBytes(text)).toThrow("a size");
  });
});
