import { fileURLToPath } from "node:url";
import { createCheckpoint, groupBy } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Architecture, type Graph, randomWeights, readGraph, withSharedSessions } from "@isthmus/graph";
import {
  decodeSpec,
  discoverSymmetries,
  encodeSpec,
  explainSpec,
  permute,
  randomAlignment,
  type Symmetries,
  type SymmetrySpec,
  type VerifySymmetriesOptions,
  verifyAlignment,
  verifySymmetries,
} from "@isthmus/symmetry";
import { beforeAll, describe, expect, test } from "vitest";
import { describeSizes } from "../../../test/helpers/describe-symmetries.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { fingerprintSpec } from "../src/encode/encode-spec.ts";

const engine = createOnnxRuntimeEngine();
const SEED = 3;

async function readFixture(name: string): Promise<Graph> {
  const path = fileURLToPath(new URL(`../../../test/fixtures/${name}/graph.onnx`, import.meta.url));
  return (await readGraph(path)).graph;
}

/** `text` n times. */
const times = (n: number, text: string): string[] => new Array<string>(n).fill(text);

describe.each([
  { name: "mnist-mlp", sizes: times(3, "512"), axes: { total: 12, free: 9, partly: 0 } },
  {
    name: "fmnist-cnn",
    sizes: ["32", "32", "64", "64", "128", "256"],
    axes: { total: 35, free: 33, partly: 0 },
  },
  {
    name: "fmnist-vit",
    sizes: [...times(4, "4"), "96", ...times(4, "384"), ...times(8, "4x24")],
    axes: { total: 74, free: 71, partly: 0 },
  },
])("$name", ({ name, sizes, axes }) => {
  let graph: Graph;
  let permutations: Symmetries;

  beforeAll(async () => {
    graph = await readFixture(name);
    permutations = await discoverSymmetries({ graph, engine });
  });

  test("discoverSymmetries() finds exactly the symmetries there are", () => {
    expect(describeSizes(permutations.spec)).toEqual(sizes);
    expect(explainSpec(permutations.spec)).toMatchObject({ axes, unknown: [] });
  });

  test("discoverSymmetries() finds the same from another batch", async () => {
    const other = await discoverSymmetries({ graph, engine }, { batch: 3 });
    expect(fingerprintSpec(other.spec)).toBe(fingerprintSpec(permutations.spec));
  });

  test("verifySymmetries() passes on every value", async () => {
    const result = await verifySymmetries({ graph, engine }, permutations, { seed: SEED });
    expect(result).toMatchObject({ passed: true, failedSymmetries: [] });
    expect(result.maxRelativeError).toBeLessThan(1e-5);
  });

  test("verifyAlignment() finds that a permuted network computes the same, and another does not", async () => {
    const network = createCheckpoint(randomWeights(graph, SEED));
    const permuted = permute(randomAlignment(permutations.spec, SEED), network, permutations.spec);
    const same = await verifyAlignment({ graph, engine }, [network, permuted], { seed: SEED });
    expect(same).toMatchObject({ passed: true, seed: SEED });
    expect(same.maxAbsoluteDifference).toBeLessThan(1e-4);
    const other = createCheckpoint(randomWeights(graph, SEED + 1));
    expect(await verifyAlignment({ graph, engine }, [network, other], { seed: SEED })).toMatchObject({
      passed: false,
    });
  });

  // Tests of small networks leave out every weight.
  test("verifySymmetries() catches a weight of each name, whatever its number, that is left unpermuted", async () => {
    const weights = createCheckpoint(randomWeights(graph, SEED));
    const moved = [...permutations.spec.weights].filter(([, { fields }]) => fields.length > 0);
    const byName = groupBy(moved, ([weight]) => weight.replaceAll(/\d+/g, "#"));
    await withSharedSessions(engine, async (shared) => {
      for (const weight of [...byName.values()].flatMap((alike) => alike.slice(-1).map(([name]) => name))) {
        const options = { seed: SEED, weights, unpermuted: [weight] };
        const control = await withoutSearch({ graph, engine: shared }, permutations, options);
        expect(control.maxRelativeError, weight).toBeGreaterThan(1e-2);
      }
    });
  });

  test("decodeSpec() gives back what encodeSpec() took, through JSON", () => {
    const json: unknown = JSON.parse(JSON.stringify(encodeSpec(permutations.spec)));
    expect(plain(decodeSpec(json))).toEqual(plain(permutations.spec));
  });

  test("verifySymmetries() passes a specification that was saved and loaded", async () => {
    const loaded = decodeSpec(JSON.parse(JSON.stringify(encodeSpec(permutations.spec))));
    expect(await verifySymmetries({ graph, engine }, loaded, { seed: SEED })).toMatchObject({ passed: true });
  });
});

/** Verifies without looking for the symmetries that fail, which a control does not ask for. */
async function withoutSearch(
  architecture: Architecture,
  permutations: Symmetries,
  options: VerifySymmetriesOptions,
) {
  return verifySymmetries(architecture, permutations, { ...options, findFailing: false });
}

/** A specification with maps as entries, for comparison. */
function plain(spec: SymmetrySpec): unknown {
  return { ...spec, weights: [...spec.weights] };
}

describe("names and reasons", () => {
  test("discoverSymmetries() names symmetries after the weights that make them", async () => {
    const vit = await readFixture("fmnist-vit");
    const { spec } = await discoverSymmetries({ graph: vit, engine });
    expect(spec.symmetries.slice(0, 5).map(({ name }) => name)).toEqual([
      "cls",
      "blocks.0.attn.qkv.heads",
      "blocks.0.attn.qkv.qk",
      "blocks.0.attn.qkv.vo",
      "blocks.0.fc1",
    ]);
    expect(explainSpec(spec).symmetries[3]).toEqual({
      name: "blocks.0.attn.qkv.vo",
      size: 24,
      cells: 4,
      kind: "nested",
      parents: ["blocks.0.attn.qkv.heads"],
      axes: [
        { tensor: "blocks.0.attn.qkv.weight", axis: 0 },
        { tensor: "blocks.0.attn.qkv.bias", axis: 0 },
        { tensor: "blocks.0.attn.proj.weight", axis: 1 },
      ],
    });
    expect(explainSpec(spec).frozen.map(({ tensor, axis, node }) => [tensor, axis, node])).toEqual([
      ["pos", 1, "/Add"],
      ["head.weight", 0, "logits"],
      ["head.bias", 0, "logits"],
    ]);
  });
});

describe("a specification written by hand", () => {
  const mlp = () => readFixture("mnist-mlp");

  const hidden = (units: string) => ({ axes: [0], units });
  const written = {
    format: "isthmus-symmetries",
    version: 1,
    symmetries: [
      { name: "one", size: 512 },
      { name: "two", size: 512 },
    ],
    weights: {
      "layers.0.weight": { shape: [512, 784], fields: [hidden("one")] },
      "layers.0.bias": { shape: [512], fields: [hidden("one")] },
      "layers.1.weight": { shape: [512, 512], fields: [hidden("two"), { axes: [1], units: "one" }] },
      "layers.1.bias": { shape: [512], fields: [hidden("two")] },
      "layers.2.weight": { shape: [512, 512], fields: [{ axes: [1], units: "two" }] },
    },
  };

  test("verifySymmetries() passes it if it is right, though it is not all there is", async () => {
    const result = await verifySymmetries({ graph: await mlp(), engine }, decodeSpec(written), {
      seed: SEED,
    });
    expect(result).toMatchObject({ passed: true, failedSymmetries: [] });
  });

  test("verifySymmetries() names what is wrong with it", async () => {
    const wrong = structuredClone(written);
    wrong.weights["layers.1.bias"].fields = [hidden("one")];
    const result = await verifySymmetries({ graph: await mlp(), engine }, decodeSpec(wrong), { seed: SEED });
    expect(result).toMatchObject({
      passed: false,
      firstFailure: { node: "/layers.1/Gemm" },
      failedSymmetries: ["one", "two"],
    });
  });

  test("verifySymmetries() names symmetries of two units that hold only together", async () => {
    const b = new GraphBuilder();
    const hidden = b.op("Tanh", [b.linear(b.input("x", [3]), "in", 3, 2)]);
    const network = b.output(b.linear(hidden, "out", 2, 4)).build();
    const own = decodeSpec({
      format: "isthmus-symmetries",
      version: 1,
      symmetries: [
        { name: "weights", size: 2 },
        { name: "bias", size: 2 },
      ],
      weights: {
        "in.weight": { shape: [3, 2], fields: [{ axes: [1], units: "weights" }] },
        "in.bias": { shape: [2], fields: [{ axes: [0], units: "bias" }] },
        "out.weight": { shape: [2, 4], fields: [{ axes: [0], units: "weights" }] },
      },
    });
    for (let seed = 0; seed < 4; seed++) {
      const result = await verifySymmetries({ graph: network, engine }, own, { seed });
      expect(result).toMatchObject({ passed: false, failedSymmetries: ["weights", "bias"] });
    }
  });

  test("verifySymmetries() names the symmetry that only the output shows to be wrong", async () => {
    const wrong = structuredClone(written);
    wrong.weights["layers.2.weight"].fields = [];
    const result = await verifySymmetries({ graph: await mlp(), engine }, decodeSpec(wrong), { seed: SEED });
    expect(result).toMatchObject({ passed: false, failedSymmetries: ["two"] });
  });
});
