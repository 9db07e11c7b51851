import {
  allocateData,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  type DType,
  entry,
  fromFloat64Into,
  sizeOf,
  type TensorData,
} from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { merge } from "../merge.ts";
import { MERGE_METHODS } from "../methods.ts";

/** Methods with values that make them drop elements, measure norms, and draw numbers. */
const SETTINGS: readonly (readonly [string, Record<string, number | boolean | string>])[] = [
  ["task_arithmetic", { weight: 0.4, normalize: true, lambda: 0.9 }],
  ["ties", { weight: 0.4, density: 0.3 }],
  ["ties", { weight: 0.4, density: 0.6, rescale: true, rescale_norm: "l2", consensus_method: "count" }],
  ["dare_linear", { weight: 0.4, density: 0.3 }],
  ["dare_ties", { weight: 0.4, density: 0.5, rescale_norm: "linf" }],
  ["breadcrumbs", { weight: 0.4, density: 0.5, gamma: 0.2 }],
  ["breadcrumbs_ties", { weight: 0.4, density: 0.5, gamma: 0.2, rescale: true }],
  ["della", { weight: 0.4, density: 0.5 }],
  ["della_linear", { weight: 0.4, density: 0.5, rescale: false }],
  ["model_stock", { filter_wise: true }],
  ["sce", { select_topk: 0.5 }],
  ["ram", { epsilon: 0.2 }],
  ["ramplus_tl", { epsilon: 0.2 }],
  ["nearswap", { t: 0.3 }],
  ["arcee_fusion", {}],
];

const SHAPES = [[], [17], [1, 6], [6, 1], [4, 9], [3, 2, 3, 2]];

interface Made {
  readonly base: Checkpoint;
  readonly networks: readonly Checkpoint[];
  readonly size: number;
}

const made = fc
  .record({
    shape: fc.constantFrom(...SHAPES),
    dtype: fc.constantFrom<DType>("f32", "bf16", "f16", "f64"),
    values: fc.array(fc.integer({ min: -16, max: 16 }), { minLength: 4 * 36, maxLength: 4 * 36 }),
  })
  .map(({ shape, dtype, values }): Made => {
    const size = sizeOf(shape);
    const create = (k: number) => {
      const data = allocateData(dtype, size);
      // Sixteenths: many differences are equal.
      fromFloat64Into(
        Float64Array.from(values.slice(k * 36, k * 36 + size), (x) => x / 16),
        dtype,
        data,
      );
      return createCheckpoint({
        other: createTensor(dtype, shape, data),
        w: createTensor(dtype, shape, data),
      });
    };
    return { base: create(0), networks: [create(1), create(2), create(3)], size };
  });

function mergeAll(
  name: string,
  parameters: Record<string, number | boolean | string>,
  { base, networks }: Made,
  seed = 5,
) {
  const method = entry(MERGE_METHODS, name);
  return merge(networks.slice(0, method.networks.most ?? 3), { method, parameters, base, seed });
}

describe.each(SETTINGS)("%s %j", (name, parameters) => {
  test("gives the same bytes however a tensor is cut, and whatever else is read before", () =>
    fc.assert(
      fc.asyncProperty(made, fc.nat(36), fc.nat(36), async (networks, a, b) => {
        const [first, last] = [Math.min(a, b, networks.size), Math.min(Math.max(a, b), networks.size)];
        const whole = await mergeAll(name, parameters, networks).read("w");
        const merged = mergeAll(name, parameters, networks);
        await merged.read("other");
        const parts = await Promise.all([
          merged.readRange("w", last, networks.size),
          merged.readRange("w", first, last),
          merged.readRange("w", 0, first),
        ]);
        const joined = parts.reverse().flatMap((part: TensorData) => [...part]);
        expect(joined).toEqual([...whole.data]);
      }),
      { numRuns: 10 },
    ));

  test("keeps the base where all networks are equal to it", () =>
    fc.assert(
      fc.asyncProperty(made, async ({ base, networks, size }) => {
        const same = { base, networks: networks.map(() => base), size };
        expect(await mergeAll(name, parameters, same).read("w")).toEqual(await base.read("w"));
      }),
      { numRuns: 10 },
    ));
});

describe.each(["dare_linear", "dare_ties", "della", "della_linear"])("%s", (name) => {
  const data = Float32Array.from({ length: 4096 }, (_, i) => 1 + (i % 64) / 64);
  const base = createCheckpoint({
    a: createTensor("f32", [64, 64], new Float32Array(4096)),
    b: createTensor("f32", [64, 64], new Float32Array(4096)),
  });
  const network = createCheckpoint({
    a: createTensor("f32", [64, 64], data),
    b: createTensor("f32", [64, 64], data),
  });
  const method = entry(MERGE_METHODS, name);
  const parameters = { weight: 1, density: 0.5, rescale: false };

  const keptOf = async (tensor: string, seed: number, networks = [network]) => {
    const merged = merge(networks, { method, parameters, base, seed });
    return [...(await merged.read(tensor)).data].map((x) => (Number(x) === 0 ? 0 : 1));
  };
  const agreement = (left: readonly number[], right: readonly number[]) =>
    left.filter((x, i) => x === right[i]).length / left.length;

  test("draws other numbers for other seeds and other tensors, the same for the same", async () => {
    const first = await keptOf("a", 1);
    expect(await keptOf("a", 1)).toEqual(first);
    // Half of the elements agree by chance: 5 standard deviations are 0.04.
    expect(Math.abs(agreement(first, await keptOf("a", 2)) - 0.5)).toBeLessThan(0.06);
    expect(Math.abs(agreement(first, await keptOf("b", 1)) - 0.5)).toBeLessThan(0.06);
  });

  test("draws other numbers for each network", async () => {
    const shares = await keptOf("a", 1, [network, network]);
    // Of two fair masks, one quarter of the elements is in neither.
    expect(Math.abs(shares.filter((x) => x === 0).length / 4096 - 0.25)).toBeLessThan(0.06);
  });
});
