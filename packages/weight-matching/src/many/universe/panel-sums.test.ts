import { at, createRandom } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPanelSums, type PanelFactors } from "./panel-sums.ts";

/** Units of `a` and of `b`. */
const LEFT = 4;
const RIGHT = 6;

/** Draws panels of some depths, and computes the sum of their products element by element. */
function draw(seed: number, kinds: readonly { byRows: boolean; depth: number }[], hasBase: boolean) {
  const random = createRandom(seed, "panel sums");
  const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
  const base = hasBase ? normals(LEFT * RIGHT) : undefined;
  const expected = Float64Array.from({ length: LEFT * RIGHT }, (_, i) => base?.[i] ?? 0);
  const factors = kinds.map(({ byRows, depth }): PanelFactors => {
    const [a, b] = [normals(LEFT * depth), normals(RIGHT * depth)];
    for (let i = 0; i < LEFT; i++) {
      for (let j = 0; j < RIGHT; j++) {
        for (let d = 0; d < depth; d++) {
          const [left, right] = byRows ? [i * depth + d, j * depth + d] : [d * LEFT + i, d * RIGHT + j];
          const product = at(a, left, "a") * at(b, right, "b");
          expected[i * RIGHT + j] = at(expected, i * RIGHT + j, "sum") + product;
        }
      }
    }
    return { a, b, byRows, units: RIGHT };
  });
  return { factors, base, expected };
}

describe("createPanelSums()", () => {
  test.each([
    ["an engine", createOnnxRuntimeEngine()],
    ["plain loops", undefined],
  ])(
    "with %s it sums the products of rows and of columns, from a base or from nothing",
    async (_, engine) => {
      const sums = createPanelSums(engine, 1);
      const kind = fc.record({ byRows: fc.boolean(), depth: fc.integer({ min: 1, max: 9 }) });
      await fc.assert(
        fc.asyncProperty(
          fc.nat(1000),
          fc.array(kind, { maxLength: 3 }),
          fc.boolean(),
          async (seed, kinds, hasBase) => {
            const { factors, base, expected } = draw(seed, kinds, hasBase);
            // What was in the memory before does not count.
            const out = new Float32Array(LEFT * RIGHT).fill(7);
            await sums.sum(factors, { base, out });
            out.forEach((value, i) => {
              expect(value).toBeCloseTo(at(expected, i, "sum"), 4);
            });
          },
        ),
        { numRuns: 100 },
      );
      await sums.release();
    },
  );
});
