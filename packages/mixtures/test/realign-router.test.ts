import { readFile } from "node:fs/promises";
import { createRandom } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { realignRouter } from "../src/realign/realign-router.ts";

interface Golden {
  readonly experts: number;
  readonly merged: readonly number[];
  readonly parents: readonly { readonly rows: readonly number[]; readonly states: readonly number[] }[];
  readonly cases: readonly {
    readonly probabilities: "softmax" | "sigmoid";
    readonly regularization: number;
    readonly rows: readonly number[];
  }[];
}

const engine = createOnnxRuntimeEngine();
const golden = JSON.parse(
  await readFile(new URL("golden/realigned-routers.json", import.meta.url), "utf8"),
) as Golden;

const difference = (one: ArrayLike<number>, other: ArrayLike<number>) =>
  Math.max(...Array.from(one, (value, i) => Math.abs(value - (other[i] ?? Number.NaN))));

describe("realignRouter()", () => {
  const merged = Float64Array.from(golden.merged);
  const targets = golden.parents.map(({ rows, states }) => ({
    rows: Float64Array.from(rows),
    states: Float32Array.from(states),
  }));

  test.each(golden.cases)(
    "finds the router of the authors and of a dense solution: $probabilities, $regularization",
    async ({ rows, ...options }) => {
      const tried = { experts: golden.experts, tolerance: 1e-7, ...options };
      const solved = await realignRouter(engine, merged, targets, tried);
      expect(solved.stopped).toBe("converged");
      expect(difference(solved.rows, rows)).toBeLessThan(2e-5);
      // The routers themselves are the solution if they are one.
      const [only = { rows: merged, states: new Float32Array() }] = targets;
      const alone = await realignRouter(engine, merged, [only], tried);
      expect(difference(alone.rows, only.rows)).toBeLessThan(1e-4);
    },
  );

  test("changes nothing if all routers are the merged one, whatever the tokens", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 2, max: 5 }), async (seed, experts) => {
        const random = createRandom(seed, "router");
        const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
        const rows = draw(experts * 3);
        const same = [0, 1].map(() => ({ rows, states: Float32Array.from(draw(3 * 8)) }));
        const solved = await realignRouter(engine, rows, same, { experts });
        expect([...solved.rows]).toEqual([...rows]);
      }),
      { numRuns: 5 },
    );
  });

  test("refuses routers of another size", async () => {
    const [first] = targets;
    const short = { rows: merged.slice(1), states: first?.states ?? new Float32Array() };
    await expect(realignRouter(engine, merged, [short], { experts: 3 })).rejects.toThrow(/as many/);
  });
});
