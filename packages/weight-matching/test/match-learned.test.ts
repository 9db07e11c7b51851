import {
  type Checkpoint,
  convertData,
  createCheckpoint,
  createRandom,
  createTensor,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import {
  type DiagonalSymmetry,
  discoverContinuous,
  discoverLinearSymmetries,
  discoverMixing,
  discoverSymmetries,
  mixInPlace,
  moveGainsInPlace,
  occurrencesOf,
  permute,
  randomAlignment,
  randomMixture,
  verifyAlignment,
} from "@isthmus/symmetry";
import { multiplyUnits } from "@isthmus/symmetry/layout";
import { align, matchLearned } from "@isthmus/weight-matching";
import { beforeAll, describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";
import { streamNetwork } from "../../../test/helpers/stream-networks.ts";

const engine = createOnnxRuntimeEngine();
const EXAMPLES = 64;

/** Unlabelled examples of normal numbers for a graph. */
function examplesFor(graph: Graph): DataSet {
  const shape = (graph.inputs[0]?.shape ?? []).slice(1).map(Number);
  const random = createRandom(3, "examples");
  const count = shape.reduce((x, y) => x * y, EXAMPLES);
  const inputs = createTensor(
    "f32",
    [EXAMPLES, ...shape],
    Float32Array.from({ length: count }, () => random.normal()),
  );
  return createDataSet(inputs, new Int32Array(EXAMPLES), { name: "noise" });
}

/** Weights with gains around 1 of both signs' sizes, and offsets. */
function networkOf(graph: Graph, seed: number): Checkpoint {
  const random = createRandom(seed, "gains");
  const weights = new Map(
    [...randomWeights(graph, seed)].map(([name, tensor]): [string, Tensor] =>
      /norm\d\.weight/.test(name)
        ? [name, { ...tensor, data: (tensor.data as Float32Array).map(() => 0.5 + random.uniform()) }]
        : [name, tensor],
    ),
  );
  return createCheckpoint(weights, {}, `network ${seed}`);
}

/** Applies a random element of the whole group: permutations, signs, scales, rotations and other gains. */
async function scramble(graph: Graph, network: Checkpoint, seed: number): Promise<Checkpoint> {
  const permutations = await discoverSymmetries({ graph, engine });
  const linear = await discoverLinearSymmetries({ graph, engine }, permutations);
  const mixing = await discoverMixing({ graph, engine }, { permutations, linear });
  const { spec } = permutations;
  const random = createRandom(seed, "factors");
  const draw = ({ variables }: DiagonalSymmetry, number: () => number) =>
    Float64Array.from({ length: variables }, number);
  const signs = draw(linear.signs, () => (random.uniform() < 0.5 ? -1 : 1));
  const scales = draw(linear.scales, () => 0.5 + random.uniform());
  const permuted = permute(randomAlignment(spec, seed), network, spec);
  const multiplied = multiplyUnits(multiplyUnits(permuted, linear.signs, signs), linear.scales, scales);
  const bound = await bindWeights(graph, multiplied);
  const values = new Map([...bound].map(([name, { data, dtype }]) => [name, toFloat64(data, dtype)]));
  moveGainsInPlace(values, linear.scales, mixing, new Map());
  const mixture = randomMixture(mixing.spaces, seed);
  for (const [name, layout] of mixing.weights) {
    mixInPlace(values.get(name) as Float64Array, occurrencesOf(layout, mixing.spaces), mixture);
  }
  const gains = mixing.gains.map(({ gain, variables }): [string, Float64Array] => [
    gain,
    Float64Array.from(variables, () => 0.5 + random.uniform()),
  ]);
  moveGainsInPlace(values, linear.scales, mixing, new Map(gains));
  return createCheckpoint(
    new Map(
      [...bound].map(([name, { shape }]) => [
        name,
        createTensor("f32", shape, Float32Array.from(values.get(name) ?? [])),
      ]),
    ),
  );
}

/** Moves each weight a little, as fine-tuning does. */
async function nudged(graph: Graph, network: Checkpoint, size: number): Promise<Checkpoint> {
  const random = createRandom(9, "nudge");
  return createCheckpoint(
    new Map(
      [...(await bindWeights(graph, network))].map(([name, tensor]) => [
        name,
        { ...tensor, data: (tensor.data as Float32Array).map((value) => value + size * random.normal()) },
      ]),
    ),
  );
}

/**
 * Multiplies queries and keys, and values and outputs, of each head by random matrices and their inverses,
 * after which the mean of the network and of a relative is useless.
 *
 * @see MergeLock (2025), arXiv:2509.01548
 */
async function lockHeads(graph: Graph, network: Checkpoint, seed: number): Promise<Checkpoint> {
  const permutations = await discoverSymmetries({ graph, engine });
  const { mixing } = await discoverContinuous({ graph, engine }, permutations);
  const bound = await bindWeights(graph, network);
  const values = new Map([...bound].map(([name, { data, dtype }]) => [name, toFloat64(data, dtype)]));
  const heads = mixing.spaces.map(({ group }) => group === "invertible");
  const mixture = randomMixture(mixing.spaces, seed);
  for (const [name, layout] of mixing.weights) {
    const ofHeads = occurrencesOf(layout, mixing.spaces).filter(({ space }) => heads[space]);
    mixInPlace(values.get(name) as Float64Array, ofHeads, mixture);
  }
  return createCheckpoint(
    new Map(
      [...bound].map(([name, { shape }]) => [
        name,
        createTensor("f32", shape, Float32Array.from(values.get(name) ?? [])),
      ]),
    ),
  );
}

const PLANTED = [
  ["layer", "none"],
  ["root mean square in pieces", "none"],
  ["root mean square in pieces", "grouped"],
  ["layer", "layer-scale"],
] as const;

describe("matchLearned()", () => {
  test.each(PLANTED)(
    "recovers a planted element of the whole group in closed form, norm: %s, %s",
    async (form, trait) => {
      const graph = streamNetwork(form, trait);
      const symmetries = await discoverSymmetries({ graph, engine });
      const data = examplesFor(graph);
      for (let seed = 0; seed < 2; seed++) {
        const a = networkOf(graph, seed);
        const planted = await scramble(graph, a, seed);
        expect(await distance(a, planted)).toBeGreaterThan(1);
        const options = { seed, steps: 0, batchSize: 16, streamExamples: EXAMPLES };
        const { transform } = await matchLearned({ graph, engine, symmetries }, [a, planted], data, options);
        expect(await distance(a, await transform(planted))).toBeLessThan(1e-3);
      }
    },
  );

  test("undoes matrices that were multiplied into heads so that a relative could not be merged", async () => {
    const graph = streamNetwork("layer");
    const a = networkOf(graph, 1);
    const relative = await nudged(graph, a, 0.01);
    const locked = await lockHeads(graph, relative, 4);
    const data = examplesFor(graph);
    const symmetries = await discoverSymmetries({ graph, engine });
    expect(await verifyAlignment({ graph, engine }, [relative, locked], { seed: 1 })).toMatchObject({
      passed: true,
    });
    const options = { seed: 0, steps: 0, batchSize: 16, streamExamples: EXAMPLES };
    const { transform } = await matchLearned({ graph, engine, symmetries }, [a, locked], data, options);
    const apart = await distance(a, relative);
    expect(await distance(a, locked)).toBeGreaterThan(10 * apart);
    expect(await distance(a, await transform(locked))).toBeLessThan(1.1 * apart);
  });

  describe("of two networks", () => {
    const graph = streamNetwork("layer");
    const data = examplesFor(graph);
    const [a, b] = [networkOf(graph, 1), networkOf(graph, 2)];
    const options = { seed: 0, steps: 30, batchSize: 16, learningRate: 0.02 };
    const run = async (extra: object = {}) => {
      const symmetries = await discoverSymmetries({ graph, engine });
      return matchLearned({ graph, engine, symmetries }, [a, b], data, { ...options, ...extra });
    };
    let learned: Awaited<ReturnType<typeof run>>;
    beforeAll(async () => {
      learned = await run();
    });

    test("learns a lower loss half-way than the closed form, and keeps what B computes", async () => {
      const { objective, start, transform } = learned;
      const best = Math.max(start.closedForm, start.descent);
      expect(objective.after).toBeGreaterThan(best);
      const moved = await transform(b);
      expect(await verifyAlignment({ graph, engine }, [b, moved], { seed: 3 })).toMatchObject({
        passed: true,
      });
      const typesOf = ({ tensors }: Checkpoint) =>
        [...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]);
      expect(typesOf(moved)).toEqual(typesOf(b));
      // The path keeps A's norms.
      expect((await moved.read("norm1.weight")).data).toEqual((await a.read("norm1.weight")).data);
    });

    test("gives the same bytes for the same seed", async () => {
      const again = await run();
      expect(await distance(await learned.transform(b), await again.transform(b))).toBe(0);
    });

    test("keeps heads orthogonal if asked", async () => {
      const { spaces } = await run({ heads: "orthogonal", steps: 2 });
      expect(spaces).toEqual({ orthogonal: 4, "orthogonal-keeping-ones": 1 });
    });

    test("ends early where the loss is not finite, says where, and keeps the best", async () => {
      const { diverged, objective, start, steps } = await run({ learningRate: 1e6 });
      expect(diverged?.step).toBe(steps + 1);
      expect(objective.after).toBeGreaterThanOrEqual(Math.max(start.closedForm, start.descent));
      expect(learned.diverged).toBeNull();
    });

    test("is what align() does of a pair with data, proved and with the names of B", async () => {
      const { networks, aligned } = await align({ graph, engine }, [a, b], { data, ...options });
      expect(aligned[0]?.summary).toMatchObject({ method: "learned", verified: { passed: true } });
      expect(networks[0]).toBe(a);
      expect(await distance(networks[1] as Checkpoint, await learned.transform(b))).toBe(0);
    });

    test("leaves alone what is aligned already", async () => {
      const symmetries = await discoverSymmetries({ graph, engine });
      const same = await matchLearned({ graph, engine, symmetries }, [a, a], data, { ...options, steps: 0 });
      expect(await distance(a, await same.transform(a))).toBeLessThan(1e-5);
      expect(same.objective.after).toBeCloseTo(same.objective.before, 5);
    });

    test("proves networks of 16 bits in 32 bits, and within what rounding changes as they are", async () => {
      const narrow = async (network: Checkpoint) =>
        createCheckpoint(
          new Map(
            await Promise.all(
              [...network.tensors].map(async ([name, { shape }]): Promise<[string, Tensor]> => {
                const { data: values } = await network.read(name);
                const stored = convertData(values, "f32", "bf16");
                return [name, createTensor("bf16", shape, stored)];
              }),
            ),
          ),
        );
      const pair = [await narrow(a), await narrow(b)] as const;
      const { networks, aligned } = await align({ graph, engine }, pair, {
        method: "learned",
        data,
        ...options,
      });
      expect(aligned[0]?.summary.verified.passed).toBe(true);
      expect(networks[1]?.tensors.get("q.weight")?.dtype).toBe("bf16");
    });

    test("names a weight that is not finite", async () => {
      const symmetries = await discoverSymmetries({ graph, engine });
      const weights = new Map(await bindWeights(graph, b));
      weights.set("q.bias", createTensor("f32", [6], new Float32Array(6).fill(Number.NaN)));
      const broken = matchLearned(
        { graph, engine, symmetries },
        [a, createCheckpoint(weights)],
        data,
        options,
      );
      await expect(broken).rejects.toThrow(/"q\.bias".*finite/);
    });

    test("stops when told to, and refuses options and data that do not fit", async () => {
      await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
      await expect(run({ steps: -1 })).rejects.toThrow(/"steps" must be/);
      await expect(run({ learningRate: 0 })).rejects.toThrow(/"learningRate" must be above 0/);
      await expect(run({ heads: "any" })).rejects.toThrow(/"heads" must be invertible or orthogonal/);
      const symmetries = await discoverSymmetries({ graph, engine });
      const other = examplesFor(smallMlp());
      await expect(matchLearned({ graph, engine, symmetries }, [a, b], other, options)).rejects.toMatchObject(
        { _tag: "InputError" },
      );
    });
  });
});
