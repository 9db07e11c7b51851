import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stepTowardsInto } from "./step-towards.ts";

const SIZE = 12;
const weights = fc
  .array(fc.float({ noNaN: true, min: -4, max: 4 }), { minLength: SIZE, maxLength: SIZE })
  .map((values) => Float32Array.from(values));
const moves = fc.integer({ min: 1, max: 8 });

const meanOf = (x: Float32Array) => x.reduce((sum, value) => sum + value, 0) / x.length;
const centred = (x: Float32Array) => Array.from(x, (value) => value - meanOf(x));
const normOf = (x: readonly number[]) => Math.hypot(...x);
const deviation = (x: Float32Array) => normOf(centred(x));
const way = (x: Float32Array, y: Float32Array) => normOf(Array.from(x, (value, i) => value - y[i]!));

/** Walks from one to the other, and returns every place. */
function walk(from: Float32Array, to: Float32Array, count: number): Float32Array[] {
  const places = [from];
  for (let left = count; left > 0; left--) {
    const next = new Float32Array(SIZE);
    stepTowardsInto(places.at(-1)!, to, 1 / left, next);
    places.push(next);
  }
  return places;
}

describe("stepTowardsInto()", () => {
  it("ends at its goal, bit for bit, after as many moves", () => {
    fc.assert(
      fc.property(weights, weights, moves, (from, to, count) => {
        expect(walk(from, to, count).at(-1)).toEqual(to);
      }),
    );
  });

  it("changes mean and deviation evenly", () => {
    fc.assert(
      fc.property(weights, weights, moves, (from, to, count) => {
        // Where both point the opposite way the line leads through a single value.
        const [x, y] = [centred(from), centred(to)];
        const cosine = x.reduce((sum, value, i) => sum + value * y[i]!, 0) / (normOf(x) * normOf(y));
        fc.pre(Math.abs(cosine) < 0.99);
        walk(from, to, count).forEach((place, k) => {
          const t = k / count;
          expect(meanOf(place)).toBeCloseTo((1 - t) * meanOf(from) + t * meanOf(to), 4);
          expect(deviation(place)).toBeCloseTo((1 - t) * deviation(from) + t * deviation(to), 4);
        });
      }),
    );
  });

  it("makes no step that is longer than its share of the arc, of the mean and of the deviation", () => {
    fc.assert(
      fc.property(weights, weights, moves, (from, to, count) => {
        const arc = Math.PI * Math.max(deviation(from), deviation(to));
        const mean = Math.abs(meanOf(to) - meanOf(from)) * Math.sqrt(SIZE);
        const most = (arc + mean + Math.abs(deviation(to) - deviation(from))) / count + 1e-3;
        const places = walk(from, to, count);
        for (const [k, place] of places.slice(1).entries()) {
          expect(way(places[k]!, place)).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it("moves what has no variance on the line, and may write where it reads", () => {
    const x = Float32Array.of(1, 1, 1);
    stepTowardsInto(x, Float32Array.of(3, 3, 3), 0.5, x);
    expect(x).toEqual(Float32Array.of(2, 2, 2));
    const [from, to] = [Float32Array.of(1, 0, -1), Float32Array.of(0, 1, -1)];
    const out = new Float32Array(3);
    stepTowardsInto(from, to, 0.5, out);
    stepTowardsInto(from, to, 0.5, from);
    expect(from).toEqual(out);
    // Half of the way at 60 degrees: the line would have the length root 3/2 of both.
    expect(normOf([...out])).toBeCloseTo(Math.SQRT2, 6);
  });
});
