import { dropUnits } from "@isthmus/connectivity";
import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type Graph } from "@isthmus/graph";
import { applyMasks, type Masks, pruneNetwork, quantizeNetwork } from "@isthmus/sparsity";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { findHiddenLayers } from "@isthmus/symmetry/layout";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp, smallTransformer } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const cnn = smallCnn();
const share = fc.double({ min: 0, max: 0.8, noNaN: true });

function matrixOf(values: readonly number[]): { readonly graph: Graph; readonly network: Checkpoint } {
  const shape = [1, values.length];
  const info = { dtype: "f32", shape, role: "parameter" } as const;
  const graph: Graph = {
    ...{ name: "one", opsets: new Map(), inputs: [], constants: new Map(), nodes: [], outputs: [] },
    weights: new Map([["w", info]]),
  };
  const data = Float32Array.from(values);
  return { graph, network: createCheckpoint(new Map([["w", { dtype: "f32", shape, data }]]), {}, "one") };
}

const prunedIn = (masks: Masks) =>
  [...masks.values()].reduce((sum, mask) => sum + mask.filter((stays) => stays === 0).length, 0);

async function valuesOf(network: Checkpoint, names: Iterable<string>): Promise<Record<string, unknown>> {
  const read = [...names].map(async (name) => [name, (await network.read(name)).data] as const);
  return Object.fromEntries(await Promise.all(read));
}

describe("pruneNetwork()", () => {
  test("reaches a sparsity exactly, ties counted, and prunes no larger one than it leaves", async () => {
    const few = fc.array(fc.constantFrom(-2, -1, 0, 1, 2, 3), { minLength: 2, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(few, share, async (values, sparsity) => {
        const { graph, network } = matrixOf([...values, 9]);
        const { masks, result } = await pruneNetwork({ graph }, network, { sparsity });
        expect(Math.abs(prunedIn(masks) - sparsity * (values.length + 1))).toBeLessThanOrEqual(0.5);
        expect(result.pruned).toBe(prunedIn(masks));
        const mask = masks.get("w") ?? new Uint8Array();
        const magnitudes = [...values, 9].map(Math.abs);
        const left = magnitudes.filter((_, i) => mask[i] === 1);
        const gone = magnitudes.filter((_, i) => mask[i] === 0);
        expect(Math.max(0, ...gone)).toBeLessThanOrEqual(Math.min(...left));
      }),
    );
  });

  test.each(["global", "layer", "units"] as const)(
    "by %s: a pruned network pruned again is itself",
    async (by) => {
      const symmetries = await discoverSymmetries({ graph: cnn, engine });
      await fc.assert(
        fc.asyncProperty(share, fc.integer({ min: 0, max: 50 }), async (sparsity, seed) => {
          const once = await pruneNetwork({ graph: cnn, symmetries }, randomNetwork(cnn, seed), {
            sparsity,
            by,
          });
          const twice = await pruneNetwork({ graph: cnn, symmetries }, once.weights, { sparsity, by });
          expect(twice.masks).toEqual(once.masks);
          expect(await valuesOf(twice.weights, cnn.weights.keys())).toEqual(
            await valuesOf(once.weights, cnn.weights.keys()),
          );
        }),
        { numRuns: 12 },
      );
    },
  );

  test("a share of 0 is the identity; biases and norms stay at any share", async () => {
    const symmetries = await discoverSymmetries({ graph: cnn, engine });
    const network = randomNetwork(cnn, 1);
    const names = [...cnn.weights.keys()];
    for (const by of ["global", "layer", "units"] as const) {
      const none = await pruneNetwork({ graph: cnn, symmetries }, network, { sparsity: 0, by });
      expect(await valuesOf(none.weights, names)).toEqual(await valuesOf(network, names));
      const half = await pruneNetwork({ graph: cnn, symmetries }, network, { sparsity: 0.5, by });
      const flat = names.filter((name) => cnn.weights.get(name)?.shape.length === 1);
      expect(await valuesOf(half.weights, flat)).toEqual(await valuesOf(network, flat));
      expect(half.result.pruned).toBeGreaterThan(0);
    }
  });

  test("by units it computes what the network does with zeros for their outputs", async () => {
    for (const graph of [cnn, smallMlp()]) {
      const symmetries = await discoverSymmetries({ graph, engine });
      const network = randomNetwork(graph, 3);
      const { weights, masks, result } = await pruneNetwork({ graph, symmetries }, network, {
        ...{ sparsity: 0.4, by: "units" },
      });
      const { layers } = findHiddenLayers(graph, symmetries);
      expect(result.units?.map(({ pruned }) => pruned)).toEqual(
        layers.map(({ size }) => Math.round(0.4 * size)),
      );
      const remainders = layers.map((layer) => {
        const [site] = layer.reads;
        const stays = new Uint8Array(layer.size).fill(1);
        for (let unit = 0; unit < layer.size; unit++) {
          if (site !== undefined && isOut(masks.get(site.tensor), site, unit)) stays[unit] = 0;
        }
        expect(stays.filter((stay) => stay === 0).length).toBe(Math.round(0.4 * layer.size));
        return { layer, stays, factor: 1 };
      });
      const shape = graph === cnn ? [2, 4, 4] : [6];
      const data = randomExamples(shape, { size: 20 });
      const evaluator = await createEvaluator({ graph, engine }, data, { batchSize: 20 });
      const { loss } = await evaluator.evaluate(weights);
      const dropped = await evaluator.evaluate(dropUnits(network, remainders));
      const whole = await evaluator.evaluate(network);
      await evaluator.release();
      expect(loss).toBeCloseTo(dropped.loss, 6);
      expect(Math.abs(loss - whole.loss)).toBeGreaterThan(1e-3);
    }
  });

  test.each(["global", "layer", "units"] as const)(
    "by %s: permuting units permutes what is pruned",
    async (by) => {
      const symmetries = await discoverSymmetries({ graph: cnn, engine });
      const { spec } = symmetries;
      const network = randomNetwork(cnn, 4);
      const order = randomAlignment(spec, 7);
      const first = await pruneNetwork({ graph: cnn, symmetries }, network, { sparsity: 0.6, by });
      const moved = permute(order, network, spec);
      const second = await pruneNetwork({ graph: cnn, symmetries }, moved, { sparsity: 0.6, by });
      expect(await valuesOf(second.weights, cnn.weights.keys())).toEqual(
        await valuesOf(permute(order, first.weights, spec), cnn.weights.keys()),
      );
    },
  );

  test("takes shares of layers, and says what is wrong", async () => {
    const graph = smallMlp();
    const network = randomNetwork(graph, 1);
    const prune = (options: Parameters<typeof pruneNetwork>[2]) => pruneNetwork({ graph }, network, options);
    const { result } = await prune({ sparsity: 0.5, by: "layer", shares: { "l0.*": 0.25 } });
    expect(result.layers.map(({ sparsity }) => sparsity)).toEqual([0.25, 0.5, 0.5]);
    const { result: some } = await prune({ sparsity: 0.5, layers: ["l1.*"] });
    expect(some.layers.map(({ name }) => name)).toEqual(["l1.weight"]);
    await expect(prune({ sparsity: 1 })).rejects.toThrow(
      /"sparsity" must be a number of at least 0 and below 1: it is 1/,
    );
    await expect(prune({ sparsity: -0.1 })).rejects.toThrow(/at least 0/);
    await expect(prune({ sparsity: 0.5, layers: ["no"] })).rejects.toThrow(/"no" matches none of l0.weight/);
    await expect(prune({ sparsity: 0.5, shares: { l0: 0.1 } })).rejects.toThrow(/prune by layer or by units/);
    await expect(prune({ sparsity: 0.5, by: "units" })).rejects.toThrow(/call discoverSymmetries/);
    await expect(prune({ sparsity: 0.999, by: "layer" })).rejects.toThrow(
      /an element of each weight must stay/,
    );
    const symmetries = await discoverSymmetries({ graph, engine });
    await expect(
      pruneNetwork({ graph, symmetries }, network, { sparsity: 0.99, by: "units" }),
    ).rejects.toThrow(/a unit of each layer must stay: none of the 16/);
  });

  test("takes heads and streams of a transformer out", async () => {
    const graph = smallTransformer();
    const symmetries = await discoverSymmetries({ graph, engine });
    const { result } = await pruneNetwork({ graph, symmetries }, randomNetwork(graph, 1), {
      ...{ sparsity: 0.5, by: "units" },
    });
    expect(result.units?.length).toBeGreaterThan(0);
  });
});

/** Tells whether all elements that read a unit are masked. */
function isOut(
  mask: Uint8Array | undefined,
  {
    view,
    axis,
    units,
  }: { readonly view: readonly number[]; readonly axis: number; readonly units: Int32Array },
  unit: number,
): boolean {
  const inner = view.slice(axis + 1).reduce((a, b) => a * b, 1);
  return (mask ?? new Uint8Array()).every(
    (stays, i) => units[Math.floor(i / inner) % (view[axis] ?? 1)] !== unit || stays === 0,
  );
}

describe("quantizeNetwork()", () => {
  test("moves values by half a scale at most; quantised again it is itself", async () => {
    const value = fc.float({ noNaN: true, min: Math.fround(-1e3), max: Math.fround(1e3) });
    const values = fc.array(
      value.map((x) => (Math.abs(x) < 1e-20 ? 0 : x)),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(values, fc.constantFrom<4 | 8>(4, 8), async (list, bits) => {
        const { network } = matrixOf(list);
        const once = await quantizeNetwork(network, { bits });
        const [before, after] = [
          Float32Array.from(list),
          (await once.weights.read("w")).data as Float32Array,
        ];
        const scale = Math.max(...before.map(Math.abs)) / (2 ** (bits - 1) - 1);
        before.forEach((x, i) => {
          expect(Math.abs(x - (after[i] ?? Number.NaN))).toBeLessThanOrEqual((scale / 2) * (1 + 2 ** -15));
        });
        expect(new Set(after.map(Math.abs)).size).toBeLessThanOrEqual(2 ** (bits - 1));
        const twice = await quantizeNetwork(once.weights, { bits });
        expect((await twice.weights.read("w")).data).toEqual(after);
      }),
    );
  });

  test("scales lie along the outputs that the graph says, and zeros stay zero", async () => {
    const graph = smallMlp();
    const { result } = await quantizeNetwork(randomNetwork(graph, 1), { graph });
    expect(result.layers.map(({ scales }) => scales)).toEqual([16, 12, 4]);
    const { weights } = await pruneNetwork({ graph }, randomNetwork(graph, 1), { sparsity: 0.7 });
    const quantized = await applyMasks((await quantizeNetwork(weights, { bits: 4 })).weights, new Map());
    const [before, after] = [await weights.read("l0.weight"), await quantized.read("l0.weight")];
    before.data.forEach((x: unknown, i: number) => {
      if (x === 0) expect(Math.abs(Number(after.data[i]))).toBe(0);
    });
    await expect(quantizeNetwork(weights, { bits: 2 as 4 })).rejects.toThrow(
      /"bits" must be 8 or 4: it is 2/,
    );
    await expect(quantizeNetwork(weights, { layers: ["x"] })).rejects.toThrow(/"x" matches none of/);
  });
});
