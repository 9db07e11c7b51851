import { createCheckpoint, entry } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import {
  discoverContinuous,
  discoverSymmetries,
  type LinearSymmetries,
  type MixingSymmetries,
  proveSymmetries,
  proveTogether,
  type SymmetrySpec,
  verifyLinearSymmetries,
} from "@isthmus/symmetry";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { streamNetwork } from "../../../test/helpers/stream-networks.ts";

const engine = createOnnxRuntimeEngine();

async function discover(graph: Graph) {
  const permutations = await discoverSymmetries({ graph, engine });
  return { permutations, ...(await discoverContinuous({ graph, engine }, permutations)) };
}

/** Leaves a weight out of what a symmetry moves. */
const without = <T>(weights: ReadonlyMap<string, T>, name: string): Map<string, T> =>
  new Map([...weights].filter(([other]) => other !== name));

describe("proveTogether()", () => {
  test("proves all kinds by the same runs, with the values that each kind alone compares", async () => {
    const graph = streamNetwork("layer");
    const symmetries = await discover(graph);
    const proof = await proveTogether({ graph, engine }, symmetries, { seed: 1 });
    expect(proof?.permutations).toMatchObject({ passed: true, unstable: 0, failedSymmetries: [] });
    expect(proof?.linear.map(({ kind, passed }) => [kind, passed])).toEqual([
      ["scale", true],
      ["sign", true],
      ["rotation", true],
    ]);
    expect(proof?.mixing).toMatchObject({ passed: true });
    expect(proof?.mixing?.restoredError).toBeLessThan(1e-5);
    const compared = new Set(graph.nodes.flatMap(({ outputs }) => outputs)).size;
    expect(proof?.permutations.tensors).toBeGreaterThan(0.9 * compared);
  });

  test("proves nothing if a gain is 0, or weights are in 16 bits, so that each kind is proved by itself", async () => {
    const graph = streamNetwork("layer");
    const symmetries = await discover(graph);
    const weights = randomWeights(graph, 1);
    entry(weights, "norm2.weight", "gain").data[3] = 0;
    const options = { seed: 1, weights: createCheckpoint(weights) };
    expect(await proveTogether({ graph, engine }, symmetries, options)).toBeUndefined();
    const { data, ...rest } = entry(weights, "norm1.weight", "gain");
    weights.set("norm1.weight", { ...rest, dtype: "f16", data: new Uint16Array(data.length) });
    const narrow = { seed: 1, weights: createCheckpoint(weights) };
    expect(
      await proveTogether({ graph, engine }, { permutations: symmetries.permutations }, narrow),
    ).toBeUndefined();
  });
});

describe("a false rotation", () => {
  const hidden = (width: number, op: string) => {
    const b = new GraphBuilder();
    const sums = b.linear(b.input("x", [5]), "one", 5, width);
    const values = b.op(op, [sums]);
    return { sums, values, graph: b.output(b.linear(values, "head", width, 3)).build() };
  };

  test.each([
    ["permutations", "Sigmoid", 3],
    ["permutations and scales", "Relu", 2],
    ["permutations and signs", "Tanh", 2],
    ["permutations", "Sigmoid", 768],
    ["permutations and scales", "Relu", 768],
    ["permutations and signs", "Tanh", 768],
  ])("is caught if only %s hold, by one direction: %s of %i units", async (_, op, width) => {
    const free = hidden(width, "Identity");
    const truth = await discover(free.graph);
    const rotated = entry(truth.linear.rotatedValues, free.sums, "rotated value");
    const { permutations } = truth;
    const rotations = { permutations, linear: truth.linear, kinds: ["rotation"] as const };
    expect(await proveTogether({ graph: free.graph, engine }, rotations, { seed: 1 })).toBeDefined();

    const { graph, values } = hidden(width, op);
    const own = await discover(graph);
    const proved = await proveTogether({ graph, engine }, own, { seed: 1 });
    expect(proved?.permutations.passed).toBe(true);
    const claimed: LinearSymmetries = {
      ...own.linear,
      rotations: truth.linear.rotations,
      rotatedValues: new Map([...truth.linear.rotatedValues, [values, rotated]]),
    };
    const wrong = { permutations: own.permutations, linear: claimed, kinds: ["rotation"] as const };
    for (const seed of [0, 1, 2]) {
      expect(await proveTogether({ graph, engine }, wrong, { seed }), `seed ${seed}`).toBeUndefined();
      const [alone] = await verifyLinearSymmetries({ graph, engine }, wrong, { seed, kinds: ["rotation"] });
      expect(alone?.passed).toBe(false);
      // The sums behind the layer are rotated as claimed: the activation is what is caught.
      expect(alone?.firstFailure?.value).toBe(values);
    }
  });
});

describe("a false symmetry in one block of twelve", () => {
  const { graph } = parseNetwork("vit:p2:d12:w32:h2", { exampleShape: [1, 8, 8], classes: 3 });

  test("is caught, whichever kind it is of", { timeout: 60_000 }, async () => {
    const { permutations, linear, mixing } = await discover(graph);
    const hidden = [...graph.weights.keys()].filter((name) => name.includes(".7."));
    const isIn = (weights: ReadonlyMap<string, unknown>) => (name: string) => weights.has(name);
    const permuted = hidden.find((name) => entry(permutations.spec.weights, name).fields.length > 0) ?? "";
    const scaled = hidden.find(isIn(linear.scales.weights)) ?? "";
    const negated = hidden.find(isIn(linear.signs.weights)) ?? "";
    const mixed = hidden.find(isIn(mixing.weights)) ?? "";
    const spec: SymmetrySpec = {
      ...permutations.spec,
      weights: new Map(
        [...permutations.spec.weights].map(([name, layout]) =>
          name === permuted ? [name, { ...layout, fields: [] }] : [name, layout],
        ),
      ),
    };
    const { scales, signs } = linear;
    const unscaled = { ...linear, scales: { ...scales, weights: without(scales.weights, scaled) } };
    const unsigned = { ...linear, signs: { ...signs, weights: without(signs.weights, negated) } };
    const unmixed: MixingSymmetries = { ...mixing, weights: without(mixing.weights, mixed) };
    const wrong = {
      permutation: { permutations: { ...permutations, spec }, linear, mixing },
      scale: { permutations, linear: unscaled },
      sign: { permutations, linear: unsigned },
      mixture: { permutations, linear, mixing: unmixed },
    };
    expect([permuted, scaled, negated, mixed].map((name) => graph.weights.has(name))).toEqual(
      Array(4).fill(true),
    );
    const truth = { permutations, linear, mixing };
    expect((await proveTogether({ graph, engine }, truth, { seed: 1 }))?.alike).toBe(0);
    const once = { seed: 1, alikeFrom: 0 };
    expect((await proveTogether({ graph, engine }, truth, once))?.alike).toBeGreaterThan(100);
    for (const [kind, symmetries] of Object.entries(wrong)) {
      expect(await proveTogether({ graph, engine }, symmetries, { seed: 1 }), kind).toBeUndefined();
      // The false block is like no other, and is run.
      expect(await proveTogether({ graph, engine }, symmetries, once), kind).toBeUndefined();
    }
    const scaledProof = await proveSymmetries({ graph, engine }, permutations, { seed: 1, linear: unscaled });
    expect(scaledProof.passed).toBe(false);
    expect(scaledProof.linear.find(({ kind }) => kind === "scale")?.firstFailure?.node).toBeDefined();
  });
});

describe("blocks that are alike", () => {
  /** Stacks residual blocks of given activations, with a constant by which each multiplies its branch. */
  const stack = (...blocks: readonly (readonly [op: string, by: number])[]) => {
    const b = new GraphBuilder();
    let stream = b.linear(b.input("x", [5]), "in", 5, 6);
    for (const [i, [op, by]] of blocks.entries()) {
      const hidden = b.op(op, [b.linear(stream, `block${i}.in`, 6, 4)]);
      const branch = b.op("Mul", [b.linear(hidden, `block${i}.out`, 4, 6), b.constant([by], [])]);
      stream = b.op("Add", [stream, branch]);
    }
    return b.output(b.linear(stream, "head", 6, 3)).build();
  };

  test.each([
    [
      "all alike",
      [
        ["Relu", 2],
        ["Relu", 2],
        ["Relu", 2],
      ],
      2,
    ],
    [
      "another activation",
      [
        ["Relu", 2],
        ["Tanh", 2],
        ["Relu", 2],
      ],
      1,
    ],
    [
      "another constant",
      [
        ["Relu", 2],
        ["Relu", 3],
        ["Relu", 3],
      ],
      1,
    ],
    [
      "all different",
      [
        ["Relu", 2],
        ["Tanh", 2],
        ["Sigmoid", 2],
      ],
      0,
    ],
  ] as const)("are run once: %s", async (_, blocks, repeated) => {
    const graph = stack(...blocks);
    const symmetries = await discover(graph);
    const whole = await proveTogether({ graph, engine }, symmetries, { seed: 1 });
    const once = await proveTogether({ graph, engine }, symmetries, { seed: 1, alikeFrom: 0 });
    const nodesOfBlock = (graph.nodes.length - stack().nodes.length) / blocks.length;
    expect(whole?.alike).toBe(0);
    expect(once?.alike).toBe(repeated * nodesOfBlock);
    expect((once?.permutations.tensors ?? 0) + repeated * nodesOfBlock).toBe(whole?.permutations.tensors);
  });

  test("are all run if weights are given", async () => {
    const graph = stack(["Relu", 2], ["Relu", 2]);
    const symmetries = await discover(graph);
    const weights = createCheckpoint(randomWeights(graph, 1));
    const proof = await proveTogether({ graph, engine }, symmetries, { seed: 1, alikeFrom: 0, weights });
    expect(proof?.alike).toBe(0);
  });

  test("are not alike if a symmetry is missing in one", async () => {
    const graph = stack(["Relu", 2], ["Relu", 2], ["Relu", 2]);
    const { permutations, linear } = await discover(graph);
    const layouts = without(linear.scales.weights, "block1.in.bias");
    const scales = { ...linear.scales, weights: layouts };
    const wrong = { permutations, linear: { ...linear, scales } };
    expect(layouts.size).toBe(linear.scales.weights.size - 1);
    expect(await proveTogether({ graph, engine }, wrong, { seed: 1, alikeFrom: 0 })).toBeUndefined();
  });
});
