import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scaleClassically } from "./classical-scaling.ts";
import { placeByDistances } from "./place-by-distances.ts";

const distancesOf = (points: readonly (readonly number[])[]) =>
  points.map((one) => points.map((two) => Math.hypot(...one.map((x, k) => x - (two[k] ?? Number.NaN)))));

const coordinate = fc.integer({ min: -100, max: 100 });
const pointsIn = (dimensions: number) =>
  fc.array(fc.array(coordinate, { minLength: dimensions, maxLength: dimensions }), {
    minLength: 2,
    maxLength: 9,
  });

describe("placeByDistances()", () => {
  test("keeps all distances of points that lie in a plane", () => {
    fc.assert(
      fc.property(pointsIn(2), (points) => {
        const distances = distancesOf(points);
        const { places, stress } = placeByDistances(distances);
        const placed = distancesOf(places);
        for (const [i, row] of distances.entries()) {
          for (const [j, distance] of row.entries()) expect(placed[i]?.[j]).toBeCloseTo(distance, 4);
        }
        expect(stress).toBeLessThan(1e-6);
      }),
    );
  });

  test("has at most the stress of classical scaling, and keeps copies on one place", () => {
    fc.assert(
      fc.property(pointsIn(5), (others) => {
        const [first = []] = others;
        const distances = distancesOf([...others, first]);
        const { places, stress } = placeByDistances(distances);
        const [one, copy] = [places[0] ?? [0, 0], places.at(-1) ?? [1, 1]];
        const size = Math.max(...distances.flat());
        expect(Math.hypot(one[0] - copy[0], one[1] - copy[1])).toBeLessThanOrEqual(1e-5 * size);
        const classical = distancesOf(scaleClassically(distances));
        let [misfit, total] = [0, 0];
        for (const [i, row] of distances.entries()) {
          for (const [j, distance] of row.entries()) {
            misfit += (distance - (classical[i]?.[j] ?? Number.NaN)) ** 2;
            total += distance ** 2;
          }
        }
        expect(stress).toBeLessThanOrEqual((total === 0 ? 0 : Math.sqrt(misfit / total)) + 1e-12);
      }),
    );
  });

  test("pulls the corners of a simplex apart, which classical scaling projects onto each other", () => {
    const corners = Array.from({ length: 8 }, (_, i) =>
      Array.from({ length: 8 }, (_, k) => (i === k ? 1 : 0)),
    );
    const { places } = placeByDistances(distancesOf(corners));
    const apart = (of: readonly (readonly number[])[]) =>
      Math.min(...distancesOf(of).flatMap((row, i) => row.filter((_, j) => j !== i)));
    expect(apart(scaleClassically(distancesOf(corners)))).toBeLessThan(0.1);
    expect(apart(places)).toBeGreaterThan(0.5);
  });
});
