import { convertData, createCheckpoint, createTensor, DTYPES, type DType } from "@isthmus/core";
import { linear, planMerge } from "@isthmus/merging";
import { checkMerge, compareNetworks, judgeMerge } from "@isthmus/recipe";
import fc from "fast-check";
import { expect, test } from "vitest";

const names = ["wte.weight", "lm_head.weight", "a.weight", "b", "steps"];
const shapes = [[], [0], [1], [5], [4, 0], [4, 64], [16, 16], [16, 17], [1, 3, 9], [9, 2, 3, 3]];
const values = fc.constantFrom(0, 1, -1, 0.5, 1e-30, 3e38, -2.5, Number.NaN, Number.POSITIVE_INFINITY);

const tensor = fc
  .record({
    shape: fc.constantFrom(...shapes),
    dtype: fc.constantFrom(...(Object.keys(DTYPES) as DType[])),
    numbers: fc.array(values, { minLength: 1, maxLength: 7 }),
  })
  .map(({ shape, dtype, numbers }) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const data = Float64Array.from({ length: size }, (_, i) => numbers[(i * i) % numbers.length] as number);
    return createTensor(dtype, shape, convertData(data, "f64", dtype));
  });

const checkpoints = fc.array(fc.dictionary(fc.constantFrom(...names), tensor), {
  minLength: 2,
  maxLength: 4,
});

/** Lists numbers that JSON cannot hold. */
const unspeakable = (value: unknown): unknown[] =>
  typeof value === "number"
    ? Number.isFinite(value)
      ? []
      : [value]
    : Object.values(value ?? {}).flatMap((part) => (typeof part === "string" ? [] : unspeakable(part)));

test("compareNetworks() and judgeMerge() say something about any networks, in numbers that JSON can hold", () =>
  fc.assert(
    fc.asyncProperty(
      checkpoints,
      fc.boolean(),
      fc.integer({ min: 1, max: 300 }),
      async (all, hasBase, sample) => {
        const networks = all.map((tensors, i) =>
          createCheckpoint(new Map(Object.entries(tensors)), {}, `n${i}`),
        );
        const base = hasBase ? networks[0] : undefined;
        const comparison = await compareNetworks(networks, { base, sample });
        const verdict = judgeMerge(comparison, { method: "linear" });
        expect(unspeakable([comparison, verdict])).toEqual([]);
        expect(verdict.confidence).toBeGreaterThanOrEqual(0.5);
        expect(verdict.confidence).toBeLessThanOrEqual(1);
        for (const { message, advice } of verdict.findings) {
          expect(message).not.toMatch(/NaN times|undefined|Infinity|\[object/);
          expect(advice).not.toBe("");
        }
      },
    ),
    { numRuns: 200 },
  ));

test("checkMerge() does not fail where a merge would not", () =>
  fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), tensor), async (tensors) => {
      const network = createCheckpoint(new Map(Object.entries(tensors)), {}, "n");
      await checkMerge(planMerge([network, network], { method: linear }));
    }),
  ));
