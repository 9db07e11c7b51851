import fc from "fast-check";
import { expect, it } from "vitest";
import { centeredRanks, drawNoiseInto, moveInPlace, sampleInto } from "./search-distribution.ts";

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });

it("centeredRanks() sums to zero, orders losses, and gives equal ones the same rank", () => {
  fc.assert(
    fc.property(fc.array(finite, { minLength: 2, maxLength: 20 }), (losses) => {
      const ranks = centeredRanks(Float64Array.from(losses));
      expect(ranks.reduce((sum, rank) => sum + rank, 0)).toBeCloseTo(0, 9);
      for (const [i, one] of losses.entries()) {
        for (const [k, other] of losses.entries()) {
          if (one < other) expect(ranks[i]).toBeGreaterThan(ranks[k] as number);
          if (one === other) expect(ranks[i]).toBe(ranks[k]);
        }
      }
    }),
  );
  expect([...centeredRanks(Float64Array.of(3, Number.NaN, 1))]).toEqual([0, -0.5, 0.5]);
});

it("drawNoiseInto() draws standard normal numbers, the same for a seed and a generation", () => {
  const [one, same, next] = [0, 1, 2].map(() => new Float32Array(20_001)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  drawNoiseInto(5, 3, one);
  drawNoiseInto(5, 3, same);
  drawNoiseInto(5, 4, next);
  expect(same).toEqual(one);
  expect(next).not.toEqual(one);
  const mean = one.reduce((sum, x) => sum + x, 0) / one.length;
  const square = one.reduce((sum, x) => sum + x * x, 0) / one.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(square - 1)).toBeLessThan(0.05);
});

/** Minimises a loss of two numbers by so many generations. */
function search(loss: (x: Float32Array) => number, generations: number, deviationRate: number) {
  const zeros = () => new Float32Array(2);
  const distribution = {
    ...{ mean: Float32Array.of(2, -1), logDeviation: zeros().fill(Math.log(0.3)) },
    ...{ first: zeros(), second: zeros() },
  };
  const pairs = 16;
  const noise = new Float32Array(2 * pairs);
  const x = zeros();
  for (let generation = 0; generation < generations; generation++) {
    drawNoiseInto(1, generation, noise);
    const losses = Float64Array.from({ length: 2 * pairs }, (_, k) => {
      const drawn = noise.subarray(2 * (k % pairs), 2 * (k % pairs) + 2);
      const deviation = distribution.logDeviation.map(Math.exp);
      sampleInto({ mean: distribution.mean, deviation }, { noise: drawn, sign: k < pairs ? 1 : -1 }, x);
      return loss(x);
    });
    const rates = { learningRate: 0.05, deviationRate, step: generation + 1 };
    moveInPlace(distribution, noise, centeredRanks(losses), rates);
  }
  return distribution;
}

it("moveInPlace() finds the minimum of a quadratic, and narrows what matters more than what does not", () => {
  const { mean, logDeviation } = search(([a = 0, b = 0]) => (a - 0.5) ** 2 + 1e-6 * b, 300, 0.2);
  expect(mean[0]).toBeCloseTo(0.5, 0);
  expect(logDeviation[0]).toBeLessThan((logDeviation[1] as number) - 1);
  const still = search(([a = 0]) => a * a, 20, 0);
  expect([...still.logDeviation]).toEqual([...new Float32Array(2).fill(Math.log(0.3))]);
});

it("moveInPlace() takes a step of Adam along the mean of differences of mirrored ranks", () => {
  const distribution = {
    ...{ mean: Float32Array.of(1), logDeviation: Float32Array.of(Math.log(0.5)) },
    ...{ first: new Float32Array(1), second: new Float32Array(1) },
  };
  // Two pairs: noise 1 and -2; ranks of the two, then of their mirror images.
  const rates = { learningRate: 0.1, deviationRate: 0.3, step: 1 };
  moveInPlace(distribution, Float32Array.of(1, -2), Float64Array.of(0.5, -1 / 6, 1 / 6, -0.5), rates);
  const gradient = -((0.5 - 1 / 6) * 1 + (-1 / 6 + 0.5) * -2) / (4 * 0.5);
  expect(distribution.first[0]).toBeCloseTo(0.1 * gradient, 6);
  expect(distribution.mean[0]).toBeCloseTo(1 - 0.1 * Math.sign(gradient), 5);
  const spread = (0.5 + 1 / 6) * 0 + (-1 / 6 - 0.5) * 3;
  expect(distribution.logDeviation[0]).toBeCloseTo(Math.log(0.5) + (0.3 * spread) / 4, 5);
});
