import { at, createRandom, createTensor, entry, type Tensor, toFloat64 } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { multiply } from "@isthmus/linear-algebra";
import {
  discoverLinearSymmetries,
  discoverMixing,
  discoverSymmetries,
  identityMixture,
  randomMixture,
} from "@isthmus/symmetry";
import { beforeAll, describe, expect, test } from "vitest";
import { streamNetwork } from "../../../../test/helpers/stream-networks.ts";
import { createGeneratorProducts } from "./generator-products.ts";
import { createMidpointMixer } from "./midpoint-mixer.ts";
import { createStreamFrame, type FramedPair, mixed } from "./stream-frame.ts";
import { rowsOf } from "./weight-grams.ts";

const engine = createOnnxRuntimeEngine();
const graph = streamNetwork("layer");
let pair: FramedPair;

beforeAll(async () => {
  const symmetries = await discoverSymmetries({ graph, engine });
  const linear = await discoverLinearSymmetries({ graph, engine }, symmetries);
  const mixing = await discoverMixing({ graph, engine }, { permutations: symmetries, linear });
  const frame = createStreamFrame(graph, { linear, mixing });
  const [a, b] = [1, 2].map(
    (seed) =>
      new Map([...randomWeights(graph, seed)].map(([name, { data }]) => [name, toFloat64(data, "f32")])),
  ) as [FramedPair["a"], FramedPair["b"]];
  pair = { architecture: { graph, engine, symmetries }, frame, a, b };
});

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i] as number, 4);
  expect(actual).toHaveLength(expected.length);
}

describe("createMidpointMixer()", () => {
  test("mixes as mixed() does, averages all weights with A, and can be used again", async () => {
    const mixer = await createMidpointMixer(pair);
    const between = mixer.of(pair.b);
    await between(identityMixture(pair.frame.symmetries.mixing.spaces));
    const mixture = randomMixture(pair.frame.symmetries.mixing.spaces, 5);
    const { weights, network } = await between(mixture);
    const expected = mixed(pair.frame, pair.b, mixture);
    expect([...weights.keys()]).toEqual([...graph.weights.keys()]);
    expect([...network.keys()].sort()).toEqual([...pair.frame.occurrences.keys()].sort());
    for (const [name, { data }] of network)
      expectClose(data as Float32Array, entry(expected, name, "weight"));
    for (const [name, { data }] of weights) {
      const mean = entry(expected, name, "weight").map(
        (value, i) => (value + at(entry(pair.a, name, "weight"), i, "element")) / 2,
      );
      expectClose(data as Float32Array, mean);
    }
    await mixer.release();
  });
});

describe("createGeneratorProducts()", () => {
  test("multiplies the rows of gradients by those of weights, summed over what one matrix mixes", async () => {
    const { frame } = pair;
    const random = createRandom(0, "gradients");
    const noise = new Map(
      [...frame.occurrences.keys()].map((name): [string, Tensor] => {
        const { shape } = entry(graph.weights, name, "weight");
        const count = shape.reduce((product, extent) => product * extent, 1);
        return [
          name,
          createTensor(
            "f32",
            shape,
            Float32Array.from({ length: count }, () => random.normal()),
          ),
        ];
      }),
    );
    const names = [...noise.keys()].filter((name) => name !== "q.bias");
    const products = await createGeneratorProducts(pair, names);
    const network = new Map(
      [...noise].map(([name, { shape }]) => [
        name,
        createTensor("f32", shape, Float32Array.from(entry(pair.b, name, "weight"))),
      ]),
    );
    const expected = new Map<string, Float64Array>();
    const sumOf = (key: string, size: number) => expected.get(key) ?? new Float64Array(size * size);
    for (const name of names) {
      for (const occurrence of entry(frame.occurrences, name, "weight")) {
        const [left, right] = [noise, network].map((values) =>
          rowsOf(entry(values, name, "weight").data as Float32Array, occurrence),
        );
        const key = `${occurrence.space} ${occurrence.isInverse}`;
        const { data, rows } = multiply(left as never, right as never, { transposeRight: true });
        expected.set(
          key,
          sumOf(key, rows).map((value, i) => value + at(data, i, "element")),
        );
      }
    }
    const actual = new Map<string, Float64Array>();
    for (const { space, isInverse, product } of await products.multiply(noise, network)) {
      const key = `${space} ${isInverse}`;
      const before = actual.get(key) ?? new Float64Array(product.length);
      actual.set(
        key,
        before.map((value, i) => value + at(product, i, "element")),
      );
    }
    expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [key, sum] of expected) expectClose(entry(actual, key, "space"), sum);
    await products.release();
  });
});
