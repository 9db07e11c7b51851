import { at, createRandom } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { identityPlaces, moveVariablesInPlace } from "./unit-mover.ts";
import { createUnitScores, fillScoresInPlace, stepScores, sumUnitProducts } from "./unit-scores.ts";

const SIZE = 7;
const WIDTH = 24;
const STEPS = 80;
const seeds = fc.integer({ min: 0, max: 1e6 });
const permutations = fc
  .shuffledSubarray([...identityPlaces(SIZE)], { minLength: SIZE })
  .map((list) => Int32Array.from(list));

/** Rows of normal numbers. */
function rowsOf(seed: number, label: string): Float64Array[] {
  const random = createRandom(seed, label);
  return Array.from({ length: SIZE }, () => Float64Array.from({ length: WIDTH }, () => random.normal()));
}

/** Inner products of rows with rows. */
function gram(left: readonly Float64Array[], right: readonly Float64Array[]): Float64Array {
  return Float64Array.from(
    left.flatMap((one) =>
      right.map((two) => one.reduce((sum, value, i) => sum + value * at(two, i, "n"), 0)),
    ),
  );
}

/** Rows of B that lie at A's places when they are permuted back, with a perturbation. */
function planted(seed: number, permutation: Int32Array, size: number) {
  const [a, noise] = [rowsOf(seed, "a"), rowsOf(seed, "noise")];
  const b: Float64Array[] = [];
  permutation.forEach((unit, place) => {
    b[unit] = at(a, place, "row").map((value, i) => value + size * at(at(noise, place, "row"), i, "n"));
  });
  return { a, b };
}

describe("stepScores()", () => {
  test("recovers a planted permutation by gradients alone, from scores that say to stay", () => {
    fc.assert(
      fc.property(seeds, permutations, (seed, permutation) => {
        const { a, b } = planted(seed, permutation, 0.1);
        const scores = createUnitScores(SIZE);
        for (let unit = 0; unit < SIZE; unit++) scores.scores[unit * (SIZE + 1)] = 0.3;
        let places = identityPlaces(SIZE);
        for (let step = 1; step <= STEPS; step++) {
          const moved = Array.from(places, (unit) => at(b, unit, "row"));
          // Of half the squared distance of A and permuted B.
          const gradients = moved.map((row, place) =>
            row.map((value, i) => value - at(at(a, place, "row"), i, "n")),
          );
          const product = gram(gradients, moved);
          places = stepScores(scores, product, { places, step, t: 0.5, rate: 0.04 * (1 - step / STEPS) });
        }
        expect([...places]).toEqual([...permutation]);
      }),
      // Of 3,000 other draws, 3 end in another permutation.
      { numRuns: 40, seed: 1 },
    );
  });

  test("stays where the scores of weights are best and the gradient says nothing", () => {
    fc.assert(
      fc.property(seeds, permutations, (seed, permutation) => {
        const { a, b } = planted(seed, permutation, 0.1);
        const scores = createUnitScores(SIZE);
        fillScoresInPlace(scores, [gram(a, b), gram(a, a), gram(b, b)]);
        const places = stepScores(scores, new Float64Array(SIZE * SIZE), {
          ...{ places: identityPlaces(SIZE), step: 1, t: 0.5, rate: 0.02 },
        });
        expect([...places]).toEqual([...permutation]);
        const matched = Array.from(permutation, (unit, place) =>
          at(scores.scores, place * SIZE + unit, "score"),
        );
        for (const score of matched) expect(score).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });
});

test("sumUnitProducts() sums the products of each symmetry", () => {
  const product = (space: number, first: number) => ({
    ...{ space, isInverse: false, product: Float32Array.of(first, 2, 3, 4) },
  });
  const sums = sumUnitProducts([product(1, 1), product(0, 5), product(1, 7)], [2, 2]);
  expect(sums.map((sum) => [...sum])).toEqual([
    [5, 2, 3, 4],
    [8, 4, 6, 8],
  ]);
});

test("moveVariablesInPlace() moves what belongs to a unit with the unit, there and back", () => {
  fc.assert(
    fc.property(permutations, permutations, (before, next) => {
      const ofUnits = Float64Array.from({ length: SIZE }, (_, unit) => 10 + unit);
      // Variables in another order than places, among others that stay.
      const variables = Int32Array.from({ length: SIZE }, (_, place) => 2 * (SIZE - 1 - place));
      const values = new Float64Array(2 * SIZE);
      variables.forEach((variable, place) => {
        values[variable] = at(ofUnits, at(before, place, "unit"), "value");
      });
      moveVariablesInPlace(values, [variables], [before, next]);
      variables.forEach((variable, place) => {
        expect(values[variable]).toBe(ofUnits[at(next, place, "unit")]);
      });
      expect(values.filter((_, i) => i % 2 === 1).every((value) => value === 0)).toBe(true);
    }),
  );
});
