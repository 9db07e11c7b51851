import { describe, expect, it } from "vitest";
import { summarizePairs } from "./measure-star.ts";

const pair = (loss: number) => ({ a: "a", b: "b", loss, error: 0 });

describe("summarizePairs()", () => {
  it("summarizePairs() gives mean and sample deviation of losses", () => {
    const { mean, std } = summarizePairs([1, 2, 6].map(pair));
    expect(mean).toBe(3);
    expect(std).toBeCloseTo(Math.sqrt((4 + 1 + 9) / 2), 14);
  });

  it("summarizePairs() has no spread for one pair, and no numbers for none", () => {
    expect(summarizePairs([pair(2)])).toMatchObject({ mean: 2, std: Number.NaN });
    expect(summarizePairs([])).toEqual({ pairs: [], mean: Number.NaN, std: Number.NaN });
  });
});
