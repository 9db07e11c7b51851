import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CmaEsOptions, createCmaEs } from "./cma-es.ts";

function minimize(options: CmaEsOptions, f: (x: readonly number[]) => number, generations: number) {
  const search = createCmaEs(options);
  for (let g = 0; g < generations && search.stopped === undefined; g++) search.tell(search.ask().map(f));
  return search;
}

const rosenbrock = ([x = 0, y = 0]: readonly number[]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2;
const tilted = (x: readonly number[]) =>
  x.reduce(
    (sum, xi, i) => sum + 100 ** (i / (x.length - 1)) * (xi + (x[(i + 1) % x.length] ?? 0) - i) ** 2,
    0,
  );

describe("createCmaEs()", () => {
  test.each([0, 1, 2, 3])("finds the least value of a curved valley, whatever the seed (%i)", (seed) => {
    const { mean } = minimize({ start: [-1, 2], sigma: 0.5, seed }, rosenbrock, 400);
    expect(rosenbrock(mean)).toBeLessThan(1e-8);
  });

  test("finds the least value of a tilted, badly scaled bowl of five coordinates", () => {
    const search = minimize({ start: [0, 0, 0, 0, 0], sigma: 1 }, tilted, 600);
    expect(tilted(search.mean)).toBeLessThan(1e-8);
    expect(search.stopped).toBe("converged");
  });

  test("asks the same candidates for the same seed and values, and others for another seed", () => {
    const asked = (seed: number) => {
      const search = createCmaEs({ start: [0, 0], sigma: 1, seed });
      return Array.from({ length: 5 }, () => {
        const candidates = search.ask();
        search.tell(candidates.map(rosenbrock));
        return candidates;
      });
    };
    expect(asked(7)).toEqual(asked(7));
    expect(asked(8)).not.toEqual(asked(7));
  });

  test("stops where the function is flat, and ranks what is not a number last", () => {
    expect(minimize({ start: [1], sigma: 1 }, () => 3, 100).stopped).toBe("flat");
    const half = minimize(
      { start: [1], sigma: 0.5 },
      ([x = 0]) => (x < 0 ? Number.NaN : (x - 0.2) ** 2),
      200,
    );
    expect(half.mean[0]).toBeCloseTo(0.2, 4);
  });

  test("does not depend on shifts of the function's argument or on increasing maps of its values", () =>
    fc.assert(
      fc.property(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 9 }), (shift, seed) => {
        const plain = minimize({ start: [0, 1], sigma: 0.5, seed }, ([x = 0, y = 0]) => x * x + 3 * y * y, 6);
        const moved = minimize(
          { start: [shift, 1 + shift], sigma: 0.5, seed },
          ([x = 0, y = 0]) => Math.exp((x - shift) ** 2 + 3 * (y - shift) ** 2),
          6,
        );
        for (const [i, x] of plain.mean.entries()) expect(moved.mean[i]).toBeCloseTo(x + shift, 6);
      }),
    ));

  test("refuses options that make no search, and values without candidates", () => {
    expect(() => createCmaEs({ start: [], sigma: 1 })).toThrow("at least one coordinate");
    expect(() => createCmaEs({ start: [0], sigma: 0 })).toThrow("sigma must be above 0: it is 0");
    expect(() => createCmaEs({ start: [0], sigma: 1, population: 3 })).toThrow("at least 4");
    expect(() => createCmaEs({ start: [0], sigma: 1 }).tell([1])).toThrow("each of the 0 candidates");
  });
});
