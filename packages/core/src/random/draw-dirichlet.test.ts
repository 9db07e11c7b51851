import { describe, expect, it } from "vitest";
import { createRandom } from "./create-random.ts";
import { drawDirichlet } from "./draw-dirichlet.ts";

describe("drawDirichlet()", () => {
  it.each([0.05, 0.5, 1, 4])(
    "drawDirichlet() of alpha %f has the mean and variance of the distribution",
    (alpha) => {
      const [count, draws] = [4, 20_000];
      const random = createRandom(1);
      let [sum, squares] = [0, 0];
      for (let draw = 0; draw < draws; draw++) {
        const proportions = drawDirichlet(new Float64Array(count).fill(alpha), random);
        expect(Math.abs(proportions.reduce((total, share) => total + share, 0) - 1)).toBeLessThan(1e-12);
        sum += proportions[0] as number;
        squares += (proportions[0] as number) ** 2;
      }
      const mean = sum / draws;
      const variance = squares / draws - mean ** 2;
      const expected = ((1 / count) * (1 - 1 / count)) / (count * alpha + 1);
      expect(Math.abs(mean - 1 / count)).toBeLessThan(5 * Math.sqrt(expected / draws));
      expect(Math.abs(variance / expected - 1)).toBeLessThan(0.06);
    },
  );

  it("drawDirichlet() of a tiny alpha gives nearly all to one", () => {
    const random = createRandom(2);
    for (let draw = 0; draw < 100; draw++) {
      expect(Math.max(...drawDirichlet(new Float64Array(10).fill(0.001), random))).toBeGreaterThan(0.5);
    }
  });

  it("drawDirichlet() of several concentrations has means in their proportion", () => {
    const random = createRandom(3);
    const sums = [0, 0, 0];
    for (let draw = 0; draw < 20_000; draw++) {
      drawDirichlet([1, 2, 5], random).forEach((share, i) => {
        sums[i] = (sums[i] ?? 0) + share / 20_000;
      });
    }
    for (const [i, mean] of [1 / 8, 2 / 8, 5 / 8].entries()) expect(sums[i]).toBeCloseTo(mean, 2);
  });

  it.each([[[]], [[0]], [[1, Number.NaN]], [[-1, 1]]])("drawDirichlet() refuses %j", (concentrations) => {
    expect(() => drawDirichlet(concentrations, createRandom(0))).toThrow(/each a number of more than 0/);
  });
});
