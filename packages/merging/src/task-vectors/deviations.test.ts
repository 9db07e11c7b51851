import { createCheckpoint, createTensor, entry } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { merge } from "../merge.ts";
import { MERGE_METHODS } from "../methods.ts";
import type { GivenParameters, ParameterSpecs } from "../parameters.ts";

const vector = (shape: readonly number[], ...values: number[]) =>
  createCheckpoint({ w: createTensor("f32", shape, Float32Array.from(values)) });

async function run(
  name: string,
  networks: readonly ReturnType<typeof vector>[],
  base: ReturnType<typeof vector>,
  parameters: Readonly<Record<string, number | boolean | readonly number[]>>,
) {
  const merged = merge(networks, {
    method: entry(MERGE_METHODS, name),
    parameters: parameters as unknown as GivenParameters<ParameterSpecs>,
    base,
  });
  return [...(await merged.read("w")).data].map(Number);
}

describe("where mergekit 0.1.5 goes wrong", () => {
  test("della keeps rows of one element with the density as probability, not NaN", async () => {
    const base = vector([400, 1], ...Array<number>(400).fill(0));
    const network = vector([400, 1], ...Array<number>(400).fill(1));
    const result = await run("della_linear", [network], base, { weight: 1, density: 0.5, rescale: false });
    expect(result.every((x) => x === 0 || x === 1)).toBe(true);
    expect(Math.abs(result.filter((x) => x === 1).length - 200)).toBeLessThan(50);
  });

  test("della ranks all inputs of an output, also of convolutions", async () => {
    // With the least spread of probabilities, the largest quarter of each kernel is kept more often.
    const shape = [300, 2, 1, 4];
    const values = Array.from({ length: 2400 }, (_, i) => 1 + (i % 8));
    const base = vector(shape, ...values.map(() => 0));
    const result = await run("della_linear", [vector(shape, ...values)], base, {
      ...{ weight: 1, density: 0.5, epsilon: 0.49, rescale: false },
    });
    const share = (least: number, most: number) => {
      const of = values.flatMap((x, i) => (x >= least && x <= most ? [result[i]] : []));
      return of.filter((x) => x !== 0).length / of.length;
    };
    // Rank 0 of 8 has probability 0.01, rank 7 has 0.99; over one axis alone 4 and 5 would be ends, too.
    expect(share(1, 1)).toBeLessThan(0.05);
    expect(share(8, 8)).toBeGreaterThan(0.95);
    expect(Math.abs(share(4, 5) - 0.5)).toBeLessThan(0.1);
  });

  test("ties does not divide by what rounding leaves of weights that cancel out", async () => {
    const base = vector([2], 0, 0);
    // 0.1 + 0.2 - 0.3 is 5.6e-17 in f64 and 0 or 1.5e-8 in f32, but the differences do not cancel.
    const networks = [vector([2], 1, 1), vector([2], 1, 1), vector([2], -1, -1)];
    const weight = [0.1, 0.2, -0.30000001] as const;
    const result = await run("ties", networks, base, { weight, density: 1 });
    for (const x of result) expect(Math.abs(x)).toBeLessThan(1);
  });

  test("the order in which tensors are merged does not change random numbers", async () => {
    const two = (value: number) =>
      createCheckpoint(
        new Map(
          ["a", "b"].map(
            (name) => [name, createTensor("f32", [64], new Float32Array(64).fill(value))] as const,
          ),
        ),
      );
    const options = {
      ...{ method: entry(MERGE_METHODS, "dare_ties"), base: two(0) },
      parameters: { weight: 1, density: 0.5 },
    };
    const [first, second] = [merge([two(1)], options), merge([two(1)], options)];
    const a = await first.read("a");
    await second.read("b");
    expect(await second.read("a")).toEqual(a);
  });

  test("model_stock keeps the base where networks pull apart, rather than dividing by 0", async () => {
    const base = vector([2], 1, 1);
    const [p, q, r] = [0, 1, 2].map((k) => [
      Math.cos((2 * Math.PI * k) / 3),
      Math.sin((2 * Math.PI * k) / 3),
    ]);
    const networks = [p, q, r].map((d) => vector([2], 1 + Number(d?.[0]), 1 + Number(d?.[1])));
    expect((await run("model_stock", networks, base, {})).every(Number.isFinite)).toBe(true);
  });

  test("arcee_fusion looks at all elements for its quantiles, not at a sample drawn anew each time", async () => {
    const size = 2048 * 512;
    // One row, so that importance is the size of the difference times one number: ranks 0 to size - 1, and 40
    // large.
    const values = Float32Array.from({ length: size }, (_, i) => ((i * 40503) % size) / size);
    for (let i = 0; i < 40; i++) values[i * 1000] = 3 + i;
    const create = (data: Float32Array) => createCheckpoint({ w: createTensor("f32", [size], data) });
    const merged = merge([create(values)], {
      ...{
        method: entry(MERGE_METHODS, "arcee_fusion"),
        base: create(new Float32Array(size)),
        parameters: {},
      },
    });
    // The median is 0.5 and the middle half 0.5 wide: from 1.25 on elements are taken.
    const taken = [...(await merged.read("w")).data.entries()].filter(([, x]) => x !== 0).map(([i]) => i);
    expect(taken).toEqual(Array.from({ length: 40 }, (_, i) => i * 1000));
  });
});

describe("errors", () => {
  test("say which densities fit an epsilon", async () => {
    const base = vector([2, 2], 0, 0, 0, 0);
    await expect(run("della", [base], base, { weight: 1, density: 0.9 })).rejects.toThrow(
      'Cannot merge "w" as "epsilon" of della must leave density - epsilon and density + epsilon between 0 and 1: density is 0.9 and epsilon 0.15',
    );
  });

  test("ask for the base and the weight", async () => {
    const method = entry(MERGE_METHODS, "ties");
    const x = vector([1], 1);
    expect(() => merge([x], { method, parameters: { weight: 1 } })).toThrow(/give it as base/);
    expect(() => merge([x], { method, base: x })).toThrow(/"weight" of ties must be given/);
  });
});
