import { describe, expect, test } from "vitest";
import { addGaussianNoiseInPlace } from "./gaussian-noise.ts";
import { centralDeviation, localDeviation, privateWeights, sharedDeviation } from "./private-mean.ts";

describe("privateWeights", () => {
  test("counts clients by examples up to the cap, and divides by what was expected", () => {
    expect(privateWeights([1, 0.5, 1], [50, 100, 400], { examplesCap: 100, expectedWeight: 10 })).toEqual([
      0.05, 0.05, 0.1,
    ]);
  });

  test("lets one client move the mean by the bound over the expected weight at most", () => {
    const mean = { examplesCap: 10, expectedWeight: 4 };
    const [weight = 0] = privateWeights([0.25], [1000], mean);
    // A norm of 8 clipped to 2.
    expect(weight * 8).toBe(2 / 4);
    expect(centralDeviation(1, 2, mean.expectedWeight)).toBe(2 / 4);
    expect(centralDeviation(1.5, 2, mean.expectedWeight, "replace-one")).toBe(1.5);
  });

  test.each([
    [[1, 1], [1], { examplesCap: 1, expectedWeight: 1 }, /2 have 1/],
    [[1], [-1], { examplesCap: 1, expectedWeight: 1 }, /at least 0: it is -1/],
    [[1], [1], { examplesCap: 0, expectedWeight: 1 }, /"examplesCap"/],
    [[1], [1], { examplesCap: 1, expectedWeight: Number.NaN }, /"expectedWeight"/],
  ])("refuses %j of %j examples by %j", (weights, examples, mean, message) => {
    expect(() => privateWeights(weights, examples, mean)).toThrow(message);
  });
});

test("localDeviation covers any two updates, which differ by twice the bound", () => {
  expect(localDeviation(0.7, 2)).toBeCloseTo(2.8, 12);
  expect(() => localDeviation(1, 0)).toThrow(/"clip"/);
});

test("sharedDeviation adds up to the noise of the sum over the clients that are sure to be in it", () => {
  const [count, survivors] = [50_000, 5];
  const sum = new Float64Array(count);
  for (let k = 0; k < survivors; k++) {
    const place = { seed: 1, round: 0, tensor: "w", client: `client ${k}` };
    addGaussianNoiseInPlace(place, 0, sharedDeviation(3, survivors), sum);
  }
  const deviation = Math.sqrt(sum.reduce((total, x) => total + x * x, 0) / count);
  // The standard error of 50,000 draws is 0.3 %.
  expect(Math.abs(deviation / 3 - 1)).toBeLessThan(0.015);
  expect(() => sharedDeviation(1, 0)).toThrow(/"survivors"/);
});
