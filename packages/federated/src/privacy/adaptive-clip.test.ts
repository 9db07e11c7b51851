import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adaptClip, roundNoiseMultiplier, updateNoiseMultiplier } from "./adaptive-clip.ts";
import { clipWeights } from "./clip-weights.ts";

const counts = (unclipped: number, clients = 20) => ({ unclipped, clients, expectedClients: clients });
const plain = { countDeviation: 0 };
const place = { seed: 1, round: 1 };

describe("adaptClip", () => {
  test("raises the bound where most updates were clipped, and lowers it where few were", () => {
    // Algorithm 1 of Andrew et al.: b = 0 gives exp(0.2 * 0.5), b = 1 gives exp(-0.2 * 0.5).
    expect(adaptClip(2, counts(0), place, plain).clip).toBeCloseTo(2 * Math.exp(0.1), 12);
    expect(adaptClip(2, counts(20), place, plain).clip).toBeCloseTo(2 * Math.exp(-0.1), 12);
    expect(adaptClip(2, counts(10), place, plain).clip).toBe(2);
  });

  test.each([0.1, 0.5, 0.9])(
    "finds the quantile %s of norms, from far below and from far above",
    (quantile) => {
      const random = createRandom(15, "norms");
      const norms = Array.from({ length: 200 }, () => Math.exp(random.normal()));
      const sorted = norms.toSorted((a, b) => a - b);
      for (const start of [1e-3, 1e3]) {
        let clip = start;
        for (let round = 0; round < 400; round++) {
          const unclipped = clipWeights(norms, clip).filter((weight) => weight === 1).length;
          const options = { quantile, learningRate: 0.2 };
          clip = adaptClip(
            clip,
            counts(unclipped, norms.length),
            { seed: 1, round },
            { ...options, ...plain },
          ).clip;
        }
        // The bound settles where the share of norms below it is the quantile: between its neighbours.
        expect(clip).toBeGreaterThan(sorted[quantile * 200 - 6]!);
        expect(clip).toBeLessThan(sorted[quantile * 200 + 6]!);
      }
    },
  );

  test("divides by the number of clients that was expected, each one counting a half up or down", () => {
    const { fraction } = adaptClip(1, { unclipped: 3, clients: 4, expectedClients: 10 }, place, plain);
    expect(fraction).toBeCloseTo((3 - 2) / 10 + 0.5, 12);
  });

  test("adds noise of the deviation, which is a twentieth of the clients if none is named", () => {
    const fractions = Array.from(
      { length: 4000 },
      (_, round) => adaptClip(1, counts(10), { seed: 3, round }).fraction,
    );
    const mean = fractions.reduce((a, b) => a + b) / fractions.length;
    const variance = fractions.reduce((sum, x) => sum + (x - mean) ** 2, 0) / fractions.length;
    // Deviation 1 client of 20; the standard error of 4000 draws is 1.1 % of it.
    expect(Math.sqrt(variance) * 20).toBeCloseTo(1, 1);
    expect(Math.abs(mean - 0.5)).toBeLessThan((5 * 0.05) / Math.sqrt(4000));
    expect(adaptClip(1, counts(10), place).countDeviation).toBe(1);
    expect(adaptClip(1, counts(10), place)).toEqual(adaptClip(1, counts(10), place));
  });

  test.each([
    [{ quantile: 1.5 }, /"quantile" must be in \[0, 1\]/],
    [{ learningRate: -1 }, /"learningRate"/],
    [{ countDeviation: Number.NaN }, /"countDeviation"/],
    [{ rate: 1 } as never, /no option "rate"/],
  ])("refuses %j", (options, message) => {
    expect(() => adaptClip(1, counts(10), place, options)).toThrow(message);
  });

  test("refuses more unclipped updates than there are", () => {
    expect(() => adaptClip(1, { unclipped: 5, clients: 4, expectedClients: 4 }, place)).toThrow(
      /"unclipped"/,
    );
    expect(() => adaptClip(0, counts(1), place)).toThrow(/"clip"/);
  });
});

describe("noise of updates and of counts", () => {
  test("is that of the round together", () => {
    const multiplier = fc.double({ min: 0.1, max: 5, noNaN: true });
    fc.assert(
      fc.property(
        multiplier,
        fc.double({ min: 1.01, max: 20, noNaN: true }),
        fc.constantFrom("add-or-remove-one" as const, "replace-one" as const),
        (z, factor, relation) => {
          const deviation = (z * factor) / (relation === "replace-one" ? 1 : 2);
          const ofUpdates = updateNoiseMultiplier(z, deviation, relation);
          expect(ofUpdates).toBeGreaterThan(z);
          expect(Math.abs(roundNoiseMultiplier(ofUpdates, deviation, relation) - z)).toBeLessThan(1e-12 * z);
        },
      ),
      { seed: 15 },
    );
  });

  test("cannot be split where the count alone costs more", () => {
    expect(() => updateNoiseMultiplier(2, 1)).toThrow(
      /must be below twice the standard deviation of the count/,
    );
    expect(() => updateNoiseMultiplier(1, 1, "replace-one")).toThrow(/raise "countDeviation"/);
    expect(updateNoiseMultiplier(0, 1)).toBe(0);
    expect(roundNoiseMultiplier(1, 0)).toBe(0);
  });
});
