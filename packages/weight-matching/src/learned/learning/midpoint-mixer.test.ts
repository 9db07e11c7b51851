import { at, createRandom, createTensor, entry, type Tensor, toFloat64 } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import { type Matrix, multiply } from "@isthmus/linear-algebra";
import { discoverContinuous, discoverSymmetries, identityMixture } from "@isthmus/symmetry";
import { llama } from "@isthmus/zoo";
import { beforeAll, describe, expect, test } from "vitest";
import { denseMixture } from "../../../../../test/helpers/dense-mixture.ts";
import { streamNetwork } from "../../../../../test/helpers/stream-networks.ts";
import { rowsOf } from "../closed-form/weight-grams.ts";
import { createStreamFrame, type FramedPair, mixed } from "../stream-frame.ts";
import { identityFactors, multiplied } from "../unit-factors.ts";
import { factorGradients } from "./generators.ts";
import { createMidpointMixer } from "./midpoint-mixer.ts";
import { createRowMultiplier } from "./row-products.ts";

const engine = createOnnxRuntimeEngine();
// Llama's hidden units have scales of their own, and its queries share values in groups. Where the stream is
// fixed, as its last gain is, scales of the others multiply them around -1.
const GRAPHS: Readonly<Record<string, Graph>> = {
  stream: streamNetwork("layer"),
  offsets: streamNetwork("root mean square times 1 + weight", "tied"),
  llama: llama({ depth: 1, width: 8, heads: 2, groups: 1, hidden: 6 }, { exampleShape: [4], classes: 5 })
    .graph,
};

/** Weights that scales beside the spaces multiply. */
const SCALED = new Map([
  ["stream", 0],
  ["offsets", 6],
  ["llama", 2],
]);

async function openPair(graph: Graph): Promise<FramedPair> {
  const symmetries = await discoverSymmetries({ graph, engine });
  const frame = createStreamFrame(graph, await discoverContinuous({ graph, engine }, symmetries));
  const [a, b] = [1, 2].map(
    (seed) =>
      new Map([...randomWeights(graph, seed)].map(([name, { data }]) => [name, toFloat64(data, "f32")])),
  ) as [FramedPair["a"], FramedPair["b"]];
  return { architecture: { graph, engine, symmetries }, frame, a, b };
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i] as number, 4);
}

/** Adds numbers to those under a key. */
function addTo(sums: Map<string, Float64Array>, key: string, numbers: ArrayLike<number>): void {
  const sum = sums.get(key) ?? new Float64Array(numbers.length);
  sums.set(
    key,
    sum.map((value, i) => value + at(numbers, i, "number")),
  );
}

describe.each(Object.entries(GRAPHS))("weights of %s", (name, graph) => {
  let pair: FramedPair;
  beforeAll(async () => {
    pair = await openPair(graph);
  });

  test.each([0.5, 0.2])(
    "createMidpointMixer() mixes, multiplies and blends as f64 does, at %f",
    async (t) => {
      const { frame } = pair;
      const { spaces } = frame.symmetries.mixing;
      expect(frame.units.scales.weights.size).toBe(entry(SCALED, name, "graph"));
      const mixer = await createMidpointMixer(pair, { count: 2, movers: [1] });
      const between = mixer.of([pair.a, pair.b]);
      const factors = identityFactors(frame.units);
      const asItIs = { mixture: identityMixture(spaces), scales: factors.scales, places: [] };
      await between([asItIs], [0.5, 0.5]);
      await between([asItIs], [0.1, 0.9]);
      const scales = factors.scales.map((_, i) => 0.5 + i / 10);
      const mixture = denseMixture(spaces, 5);
      const { weights, networks } = await between([{ mixture, scales, places: [] }], [1 - t, t]);
      const network = at(networks, 0, "network");
      const expected = multiplied(frame.units, mixed(frame, pair.b, mixture), { ...factors, scales });
      expect([...weights.keys()]).toEqual([...graph.weights.keys()]);
      const changed = new Set([...frame.occurrences.keys(), ...frame.units.scales.weights.keys()]);
      expect([...network.keys()].sort()).toEqual([...changed].sort());
      for (const [weight, { data }] of network)
        expectClose(data as Float32Array, entry(expected, weight, "weight"));
      for (const [weight, { data }] of weights) {
        const mean = entry(expected, weight, "weight").map(
          (value, i) => t * value + (1 - t) * at(entry(pair.a, weight, "weight"), i, "element"),
        );
        expectClose(data as Float32Array, mean);
      }
      await mixer.release();
    },
  );

  test("createRowMultiplier() multiplies gradients by weights, where there are gradients", async () => {
    const { frame, b } = pair;
    const random = createRandom(0, "gradients");
    const tensors = (valuesOf: (weight: string, count: number) => Float32Array) =>
      new Map(
        [...graph.weights].map(([weight, { shape }]): [string, Tensor] => {
          const count = shape.reduce((product, extent) => product * extent, 1);
          return [weight, createTensor("f32", shape, valuesOf(weight, count))];
        }),
      );
    const gradients = tensors((_, count) => Float32Array.from({ length: count }, () => random.normal()));
    const network = tensors((weight) => Float32Array.from(entry(b, weight, "weight")));
    const [, ...names] = graph.weights.keys();
    const multiplier = await createRowMultiplier(pair, names);
    const products = await multiplier.multiply(gradients, network);
    const [expected, actual] = [new Map<string, Float64Array>(), new Map<string, Float64Array>()];
    for (const [weight, occurrences] of frame.occurrences) {
      if (!names.includes(weight)) continue;
      for (const occurrence of occurrences) {
        const [left, right] = [gradients, network].map((values) =>
          rowsOf(entry(values, weight, "weight").data as Float32Array, occurrence),
        ) as [Matrix, Matrix];
        const { data } = multiply(left, right, { transposeRight: true });
        addTo(expected, `${occurrence.space} ${occurrence.isInverse}`, data);
      }
    }
    for (const { space, isInverse, product } of products.matrices)
      addTo(actual, `${space} ${isInverse}`, product);
    expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [key, sum] of expected) expectClose(entry(actual, key, "space"), sum);
    const { variables } = frame.units.scales;
    const slopes = factorGradients(variables, products.factors, 1);
    const lossAt = (variable: number, scale: number) => {
      const { scales, ...factors } = identityFactors(frame.units);
      const moved = multiplied(frame.units, b, { ...factors, scales: scales.with(variable, scale) });
      let sum = 0;
      for (const weight of names) {
        const { data } = entry(gradients, weight, "weight");
        entry(moved, weight, "weight").forEach((value, i) => {
          sum += value * Number(data[i]);
        });
      }
      return sum;
    };
    const differences = slopes.map(
      (_, variable) => (lossAt(variable, 1 + 1e-4) - lossAt(variable, 1 - 1e-4)) / 2e-4,
    );
    expectClose(slopes, differences);
    await multiplier.release();
  });
});
