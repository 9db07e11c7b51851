import { fileURLToPath } from "node:url";
import { type Checkpoint, createCheckpoint, openCheckpoint, type Tensor, toFloat32 } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  applyBinding,
  bindSpec,
  type DecodedGraph,
  discoverSymmetries,
  explainSpec,
  findBinding,
  permute,
  randomAlignment,
  readGraph,
  verifyAlignment,
  verifySymmetries,
} from "@isthmus/graph";
import { beforeAll, describe, expect, test } from "vitest";
import { describeSizes } from "./helpers/describe-symmetries.ts";

const engine = createOnnxRuntimeEngine();
const SEED = 2;
const pathOf = (name: string): string =>
  fileURLToPath(new URL(`fixtures/folded-cnn/${name}`, import.meta.url));

let file: DecodedGraph;
let network: Checkpoint;

beforeAll(async () => {
  file = await readGraph(pathOf("graph.onnx"));
  network = await openCheckpoint(pathOf("network.safetensors"));
});

/** The network with some tensors replaced or, where undefined, left out. */
async function changed(changes: Readonly<Record<string, Tensor | undefined>>): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of network.tensors.keys()) tensors.set(name, await network.read(name));
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  return createCheckpoint(tensors);
}

describe("findBinding()", () => {
  test("findBinding() finds what an exporter transposed, folded and renamed", async () => {
    const { sources, renamed, unbound, unused } = await findBinding(file.graph, file.weights, network);
    expect(unbound).toEqual([]);
    expect(unused).toEqual([]);
    expect(renamed).toHaveLength(6);
    const found = [...sources.values()];
    expect(found.filter(({ kind }) => kind === "tensor").map(({ tensor }) => tensor)).toEqual([
      "fc1.bias",
      "norm.weight",
      "norm.bias",
      "fc2.bias",
    ]);
    expect(found.filter(({ kind }) => kind === "transposed").map(({ tensor }) => tensor)).toEqual([
      "fc1.weight",
      "fc2.weight",
    ]);
    const norm = {
      scale: "bn2.weight",
      variance: "bn2.running_var",
      offset: "bn2.bias",
      mean: "bn2.running_mean",
      epsilon: 1e-3,
    };
    expect(found).toContainEqual({ kind: "folded-kernel", tensor: "conv2.weight", norm });
    expect(found).toContainEqual({ kind: "folded-bias", tensor: "conv2.bias", norm });
    expect(found).toContainEqual({
      kind: "folded-bias",
      tensor: undefined,
      norm: {
        scale: "bn1.weight",
        variance: "bn1.running_var",
        offset: "bn1.bias",
        mean: "bn1.running_mean",
        epsilon: 1e-5,
      },
    });
  });

  test("findBinding() says what is left and why", async () => {
    const weight = await network.read("fc1.weight");
    const { unbound } = await findBinding(
      file.graph,
      file.weights,
      await changed({
        "fc1.weight": undefined,
        "copy.1": weight,
        "copy.2": weight,
        "bn1.running_var": undefined,
      }),
    );
    expect(unbound.map(({ reason }) => reason)).toEqual([
      "no tensor has its values",
      "no tensor has its values",
      'several tensors have its values: "copy.1", "copy.2"',
    ]);
  });

  test("findBinding() goes by names where the values are of another network", async () => {
    const weights = new Map([...file.weights].map(([name, tensor]) => [name, halved(tensor)] as const));
    const binding = await findBinding(file.graph, file.weights, createCheckpoint(weights));
    expect(binding).toMatchObject({ renamed: [], unbound: [], unused: [] });
  });

  test("findBinding() goes by names where the file carries no values", async () => {
    const binding = await findBinding(file.graph, new Map(), await changed({ "fc1.bias": undefined }));
    expect(binding.unbound[0]).toEqual({
      weight: "fc1.bias",
      reason: "no tensor has its name, and the graph's file does not carry its values",
    });
  });
});

function halved({ dtype, shape, data }: Tensor): Tensor {
  return { dtype, shape, data: toFloat32(data, dtype).map((value) => value / 2) };
}

describe("applyBinding()", () => {
  test("applyBinding() makes the values that the file carries", async () => {
    const binding = await findBinding(file.graph, file.weights, network);
    const made = applyBinding(file.graph, binding, network);
    for (const [name, { data, dtype }] of file.weights) {
      const values = toFloat32((await made.read(name)).data, dtype);
      toFloat32(data, dtype).forEach((value, i) => {
        expect(values[i], name).toBeCloseTo(value, 5);
      });
    }
  });

  test("applyBinding() lists what is missing", async () => {
    const partial = await changed({ "norm.weight": undefined });
    const binding = await findBinding(file.graph, file.weights, partial);
    expect(() => applyBinding(file.graph, binding, partial)).toThrow(
      /every weight must be found in it: 1 of 10 are not, "norm\.weight" \(no tensor has its values\)$/,
    );
  });
});

describe("bindSpec()", () => {
  test("bindSpec() says symmetries in the names of the checkpoint, which may then be permuted", async () => {
    const { graph, weights } = file;
    const found = await discoverSymmetries(graph, engine);
    const binding = await findBinding(graph, weights, network);
    const bound = bindSpec(found.spec, { binding, checkpoint: network });
    expect(describeSizes(bound)).toEqual(["2", "10", "2x3", "2x4"]);
    expect(bound.symmetries.map(({ name }) => name)).toEqual(["fc1", "conv1.groups", "conv1", "conv2"]);
    expect([...bound.weights.keys()].sort()).toEqual([...network.tensors.keys()].sort());
    expect(
      explainSpec(bound)
        .frozen.map(({ tensor, axis }) => `${tensor}:${axis}`)
        .sort(),
    ).toEqual(["conv1.weight:1", "fc2.bias:0", "fc2.weight:0"]);
    const before = applyBinding(graph, binding, network);
    const permuted = permute(randomAlignment(bound, SEED), network, bound);
    const after = applyBinding(graph, binding, permuted);
    const result = await verifyAlignment(graph, engine, [before, after], { seed: SEED });
    expect(result.passed).toBe(true);
    const moved = await permuted.read("conv1.weight");
    expect(moved.data).not.toEqual((await network.read("conv1.weight")).data);
    const proven = await verifySymmetries(graph, engine, found, { seed: SEED, weights: before });
    expect(proven.passed).toBe(true);
  });
});
