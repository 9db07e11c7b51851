import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BatchPlace, placeAfterReshape } from "./batch-place.ts";
import { takeExamples } from "./take-examples.ts";

const product = (extents: readonly number[]) => extents.reduce((total, extent) => total * extent, 1);

/** Number of the example at every row-major position of a shape. */
function examplesOf(shape: readonly number[], batch: number, { axis, inner }: BatchPlace): number[] {
  const behind = product(shape.slice(axis + 1)) * inner;
  return Array.from({ length: product(shape) }, (_, position) => Math.floor(position / behind) % batch);
}

/** A shape with a batch somewhere, alone or merged with other extents of its axis. */
const placed = fc
  .record({
    batch: fc.integer({ min: 1, max: 4 }),
    before: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
    outer: fc.integer({ min: 1, max: 3 }),
    inner: fc.integer({ min: 1, max: 3 }),
    behind: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
  })
  .map(({ batch, before, outer, inner, behind }) => ({
    batch,
    shape: [...before, outer * batch * inner, ...behind],
    place: { axis: before.length, outer, inner },
  }));

/** All ways to cut a number of elements into a few extents. */
function shapesOf(size: number, rank: number): number[][] {
  if (rank === 1) return [[size]];
  const first = Array.from({ length: size }, (_, i) => i + 1).filter((extent) => size % extent === 0);
  return first.flatMap((extent) => shapesOf(size / extent, rank - 1).map((rest) => [extent, ...rest]));
}

describe("placeAfterReshape()", () => {
  test("finds the axis that tells the same examples apart, wherever one axis does", () => {
    fc.assert(
      fc.property(placed, fc.integer({ min: 1, max: 3 }), fc.nat(), ({ batch, shape, place }, rank, pick) => {
        const targets = shapesOf(product(shape), rank);
        const to = targets[pick % targets.length] ?? [];
        const reshaped = placeAfterReshape(place, { from: shape, to, batch }, "changed");
        if (reshaped !== undefined) {
          expect(reshaped.outer * batch * reshaped.inner).toBe(to[reshaped.axis]);
          expect(examplesOf(to, batch, reshaped)).toEqual(examplesOf(shape, batch, place));
          return;
        }
        // One example leaves no trace in a shape.
        if (batch === 1) return;
        const some = to.flatMap((extent, axis) =>
          Array.from({ length: extent }, (_, i) => ({ axis, outer: extent / batch / (i + 1), inner: i + 1 })),
        );
        const fits = some.filter(({ outer }) => Number.isInteger(outer));
        const orders = fits.map((candidate) => examplesOf(to, batch, candidate).join());
        expect(orders).not.toContain(examplesOf(shape, batch, place).join());
      }),
    );
  });

  // What PyTorch's modules do with a batch of 1, where shapes alone do not tell.
  test.each([
    { what: "rows of tokens", from: [17, 1, 4, 8], was: 1, inner: 1, to: [17, 32], axis: 0 },
    { what: "heads cut out of features", from: [17, 1, 32], was: 1, inner: 1, to: [17, 4, 8], axis: 1 },
    { what: "heads that leave the batch", from: [4, 17, 8], was: 0, inner: 4, to: [1, 4, 17, 8], axis: 0 },
    { what: "heads that join the batch", from: [1, 4, 17, 8], was: 0, inner: 1, to: [4, 17, 8], axis: 0 },
    { what: "one channel", from: [1, 1, 28, 28], was: 0, inner: 1, to: [1, 784], axis: 0 },
    { what: "one token before the batch", from: [1, 1, 32], was: 1, inner: 1, to: [1, 1, 4, 8], axis: 1 },
    { what: "a flat image", from: [1, 1, 2, 2], was: 0, inner: 1, to: [4], axis: 0 },
  ])("takes a batch of 1 to the likeliest axis: $what", ({ from, was, inner, to, axis }) => {
    const place = { axis: was, outer: 1, inner };
    expect(placeAfterReshape(place, { from, to, batch: 1 }, "changed")?.axis).toBe(axis);
  });

  test("says no where examples are spread over axes", () => {
    const place = { axis: 0, outer: 1, inner: 1 };
    expect(placeAfterReshape(place, { from: [4, 3], to: [2, 6], batch: 4 }, "changed")).toBeUndefined();
  });
});

describe("takeExamples()", () => {
  test("takes the elements of some examples, wherever the batch lies", () => {
    fc.assert(
      fc.property(placed, fc.nat(), fc.nat(), ({ batch, shape, place }, a, b) => {
        const [begin, end] = [a % (batch + 1), b % (batch + 1)].sort((x, y) => x - y) as [number, number];
        const data = Float32Array.from({ length: product(shape) }, (_, i) => i);
        const taken = takeExamples({ dtype: "f32", shape, data }, place, { begin, end });
        const numbers = examplesOf(shape, batch, place);
        const expected = [...data].filter((_, i) => (numbers[i] ?? 0) >= begin && (numbers[i] ?? 0) < end);
        expect([...taken.data]).toEqual(expected);
        expect(product(taken.shape)).toBe(expected.length);
      }),
    );
  });
});
