import { describe, expect, it } from "vitest";
import { splitRuns } from "./text-runs.ts";

describe("splitRuns()", () => {
  it("splitRuns() writes Latin letters in Helvetica, with the widths that Adobe published", () => {
    // Helvetica: A 667, space 278, 1 556; Helvetica-Bold: A 722.
    expect(splitRuns("A 1", false)).toEqual([
      { font: "Helvetica", hex: "412031", width: 0.667 + 0.278 + 0.556 },
    ]);
    expect(splitRuns("A", true)).toEqual([{ font: "Helvetica-Bold", hex: "41", width: 0.722 }]);
    expect(splitRuns("u\u0308é", false)).toMatchObject([{ hex: "fce9" }]);
  });

  it("splitRuns() writes arrows, Greek and signs in the font of symbols", () => {
    // Codes of Adobe's Symbol: arrowup AD, minus 2D, minute A2, lambda 6C.
    expect(splitRuns("↑ loss", false).map(({ font, hex }) => [font, hex])).toEqual([
      ["Symbol", "ad"],
      ["Helvetica", "206c6f7373"],
    ]);
    expect(splitRuns("−λ", false)).toMatchObject([{ font: "Symbol", hex: "2d6c" }]);
    expect(splitRuns("d′", true).map(({ hex }) => hex)).toEqual(["64", "a2"]);
  });

  it("splitRuns() writes a question mark for what no standard font has", () => {
    expect(splitRuns("網", false)).toMatchObject([{ font: "Helvetica", hex: "3f" }]);
    expect(splitRuns("", false)).toEqual([]);
  });
});
