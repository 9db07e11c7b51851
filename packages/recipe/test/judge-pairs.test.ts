import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { PairComparison } from "../src/compare/comparison.ts";
import { judgePair } from "../src/compare/judge-pair.ts";
import { KINSHIP } from "../src/compare/thresholds.ts";

/** A pair of trained networks, measured by tools/golden/verdict-pairs.mjs. */
interface MeasuredPair
  extends Pick<PairComparison, "matrices" | "distance" | "cosine" | "identical" | "shared"> {
  readonly architecture: string;
  readonly networks: readonly [string, string];
  /** Whether both descend from one start. */
  readonly related: boolean;
  readonly kinship: number;
  /** Smallest and largest kinship of a single matrix. */
  readonly least: number;
  readonly most: number;
  readonly moved: { readonly share: number; readonly tensors: number } | null;
}

const pairs: MeasuredPair[] = JSON.parse(
  readFileSync(new URL("golden/verdict-pairs.json", import.meta.url), "utf8"),
);
const [related, strangers] = [pairs.filter((pair) => pair.related), pairs.filter((pair) => !pair.related)];

describe("limits of kinship", () => {
  test("are measured on relatives and strangers of seven architectures", () => {
    expect(new Set(pairs.map(({ architecture }) => architecture)).size).toBe(7);
    expect([related.length, strangers.length]).toEqual([46, 24]);
  });

  test("lie in a wide gap between strangers and relatives", () => {
    const kinships = (list: readonly MeasuredPair[]) => list.map(({ kinship }) => kinship);
    expect(Math.max(...kinships(strangers))).toBeLessThan(KINSHIP.strangers);
    expect(Math.max(...strangers.map(({ most }) => most))).toBeLessThan(KINSHIP.least / 2);
    expect(Math.min(...kinships(related))).toBeGreaterThan(0.7);
    expect(Math.min(...related.map(({ least }) => least))).toBeGreaterThan(KINSHIP.close);
  });

  test("cannot be replaced by the cosine of all weights", () => {
    const cosines = (list: readonly MeasuredPair[]) => list.map(({ cosine }) => cosine ?? Number.NaN);
    expect(Math.max(...cosines(strangers))).toBeGreaterThan(0.63);
    expect(Math.min(...cosines(related))).toBeLessThan(0.65);
  });

  test("do without kinship where matrices are small, and are surer where alignment agrees", () => {
    const pair = {
      ...{ a: 0, b: 1, onlyA: [], onlyB: [], shapes: [], dtypes: [], offset: null, norms: [1, 1] as const },
      ...{
        vocabulary: null,
        tensors: [],
        moved: null,
        growth: null,
        shared: { tensors: 1, parameters: 1 },
        identical: false,
      },
      ...{ distance: 1, cosine: 0.5, kinship: null, matrices: 0, alignment: null },
    };
    const aligned = (gain: number) => ({ before: 1, after: 1 - gain, gain });
    expect(judgePair(pair)).toMatchObject({ verdict: "different seed", confidence: 0.5 });
    expect(judgePair({ ...pair, distance: 0.1 })).toMatchObject({
      verdict: "same ancestor",
      confidence: 0.5,
    });
    expect(judgePair({ ...pair, alignment: aligned(0) }).verdict).toBe("same ancestor");
    expect(judgePair({ ...pair, alignment: aligned(0.1) }).verdict).toBe("different seed");
    expect(judgePair({ ...pair, alignment: aligned(1) }).verdict).toBe("permuted copy");
    const single = { ...pair, kinship: 0.3, matrices: 1 };
    expect(judgePair({ ...single, alignment: aligned(0) }).confidence).toBeGreaterThan(
      judgePair(single).confidence,
    );
  });

  test.each(pairs)(
    "give the right verdict on $architecture $networks",
    ({ moved, related: isKin, ...pair }) => {
      const { verdict, confidence } = judgePair({
        ...{ a: 0, b: 1, onlyA: [], onlyB: [], shapes: [], dtypes: [], offset: null, norms: [1, 1] },
        ...{ vocabulary: null, alignment: null, growth: null, tensors: [] },
        ...pair,
        moved: moved === null ? null : { share: moved.share, tensors: [] },
      });
      expect(verdict).toBe(isKin ? "same ancestor" : "different seed");
      expect(confidence).toBeGreaterThan(0.95);
    },
  );
});
