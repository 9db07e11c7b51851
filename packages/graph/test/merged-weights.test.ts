import { fileURLToPath } from "node:url";
import { type Checkpoint, createCheckpoint, entry, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  bindNetworks,
  bindWeights,
  type Graph,
  readGraph,
  type UnreadPolicy,
  verifyBinding,
} from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { openFilesOf } from "../../../test/helpers/open-files.ts";

const engine = createOnnxRuntimeEngine();

const FOLDER = fileURLToPath(new URL("../../../test/fixtures/merged-weights/", import.meta.url));
const pathOf = (name: string): string => `${FOLDER}${name}`;

/** Opens a file that `golden/generate-merged-weights.py` wrote. */
const openFile = openFilesOf(FOLDER);

/** Inputs `[4, 8]` and PyTorch's logits `[4, 3]` of one seed. */
async function readParity(name: string, seed: number) {
  const file = await openFile(`${name}-parity.safetensors`);
  return { x: await file.read("x"), y: (await file.read(`y${seed}`)).data as Float32Array };
}

/** Largest difference between a network's logits and those of PyTorch, relative to the largest of these. */
async function distance(graph: Graph, network: Checkpoint, name: string, seed: number): Promise<number> {
  const { x, y } = await readParity(name, seed);
  const session = await engine.load(graph);
  try {
    const { data } = entry(await session.run((await bindWeights(graph, network)).set("input", x)), "output");
    const differences = [...(data as Float32Array)].map((value, i) => Math.abs(value - (y[i] as number)));
    return Math.max(...differences) / Math.max(...y.map(Math.abs));
  } finally {
    await session.release();
  }
}

const bind = async (file: string, networks: readonly Checkpoint[], unread: UnreadPolicy = "keep") =>
  bindNetworks(await readGraph(pathOf(file)), networks, { unread });

/** A copy in memory with some tensors replaced. */
async function changed(
  checkpoint: Checkpoint,
  changes: Readonly<Record<string, Tensor>>,
): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of checkpoint.tensors.keys()) tensors.set(name, await checkpoint.read(name));
  for (const [name, tensor] of Object.entries(changes)) tensors.set(name, tensor);
  return createCheckpoint(tensors, {}, checkpoint.source);
}

describe("a graph of a network whose tensors were merged or left out", () => {
  const networks = ["zero-biases", "conv-biases", "new-norms", "equal-layers", "group-norms"];
  const cases = networks.flatMap((name) => [`${name}-dynamo`, `${name}-legacy`].map((kind) => [name, kind]));
  cases.push(["numbers", "numbers-legacy"]);

  test.each(cases)(
    "%s: %s computes what PyTorch does for another network, however it is permuted",
    async (name, kind) => {
      const [zero, one] = [await openFile(`${name}-0.pt`), await openFile(`${name}-1.pt`)];
      const decoded = await readGraph(pathOf(`${kind}.onnx`));
      const bound = await bindNetworks(decoded, [one, zero], { unread: "keep" });
      expect(await verifyBinding(decoded, bound, engine, { seed: 1 })).toBeLessThan(1e-5);
      const { spec } = await discoverSymmetries({ graph: bound.graph, engine });
      for (const [place, seed] of [1, 0].entries()) {
        const { network, restore, reread, kept } = bound.networks[place] as (typeof bound.networks)[number];
        expect(kept).toEqual(kept.length === 0 ? [] : ["unused"]);
        expect(await distance(bound.graph, network, name, seed)).toBeLessThan(2e-6);
        const permuted = restore(permute(randomAlignment(spec, seed + 5), network, spec));
        expect(await distance(bound.graph, reread(permuted), name, seed)).toBeLessThan(2e-6);
        const moved = [...network.tensors.keys()].filter((tensor) => bound.graph.weights.has(tensor));
        expect(moved.length + kept.length).toBe(network.tensors.size + kept.length);
      }
    },
  );

  test("is refused if its file does not say which tensors were merged, whatever the policy", async () => {
    const refusals = {
      "zero-biases": /"fc1\.bias" \(zeros\).*as ".*-0\.pt" has them.*Export the graph from ".*-1\.pt"/s,
      "conv-biases": /"conv\.bias" \(zeros\), "up\.bias" \(zeros\)/,
      "new-norms": /"norm1\.bias" \(equal to "norm0\.bias"\).*Export the graph from ".*-1\.pt"/,
      "equal-layers": /several tensors have its values|both must be equal: they differ/,
    };
    for (const [name, message] of Object.entries(refusals)) {
      const [zero, one] = [await openFile(`${name}-0.pt`), await openFile(`${name}-1.pt`)];
      for (const unread of ["refuse", "keep"] as const) {
        await expect(bind(`${name}-bare.onnx`, [zero, one], unread), name).rejects.toThrow(message);
      }
    }
  });

  test("is refused if a trained number was folded into another", async () => {
    const networks = [await openFile("numbers-0.pt"), await openFile("numbers-1.pt")];
    await expect(bind("numbers-dynamo.onnx", networks)).rejects.toThrow(
      /does not read "temperature" \(folded into "exp"\).*optimize=False/s,
    );
  });

  test("is used if the tensors that it left out have the same values in every network", async () => {
    const [zero, one] = [await openFile("conv-biases-0.pt"), await openFile("conv-biases-1.pt")];
    const frozen = { "conv.bias": await zero.read("conv.bias"), "up.bias": await zero.read("up.bias") };
    const { networks } = await bind("conv-biases-bare.onnx", [zero, await changed(one, frozen)], "refuse");
    expect(networks.map(({ kept }) => kept)).toEqual([
      ["conv.bias", "up.bias"],
      ["conv.bias", "up.bias"],
    ]);
  });
});

describe("records of the default exporter", () => {
  test("are read with the graph: the call that a node was made from, and its parameters", async () => {
    const { graph } = await readGraph(pathOf("zero-biases-dynamo.onnx"));
    expect(graph.nodes.map(({ op, origin }) => [op, origin])).toContainEqual([
      "Gemm",
      { operator: "aten.linear.default", parameters: ["p_fc1_weight", "p_fc1_bias"] },
    ]);
    expect((await readGraph(pathOf("zero-biases-bare.onnx"))).graph.nodes[0]?.origin).toBeUndefined();
  });

  test("are not used if two tensors are spelled alike", async () => {
    const [zero, one] = [await openFile("conv-biases-0.pt"), await openFile("conv-biases-1.pt")];
    const alike = { conv_bias: await zero.read("conv.bias") };
    await expect(
      bind("conv-biases-dynamo.onnx", [await changed(zero, alike), await changed(one, alike)]),
    ).rejects.toThrow(/does not read "conv\.bias" \(equal to "up\.bias"\)/);
  });
});

describe("constants of ones and zeros that exporters write for group norms", () => {
  test.each(["dynamo", "bare", "legacy"])(
    "are no weights, beside a parameter that is not read: %s",
    async (kind) => {
      const networks = [await openFile("group-norms-0.pt"), await openFile("group-norms-1.pt")];
      await expect(bind(`group-norms-${kind}.onnx`, networks, "refuse")).rejects.toThrow(
        /one is not, "unused"; .*--unread keep/s,
      );
      const { graph } = await bind(`group-norms-${kind}.onnx`, networks);
      expect([...graph.weights.keys()].sort()).toEqual(
        [...networks[0]!.tensors.keys()].filter((name) => name !== "unused").sort(),
      );
    },
  );
});

describe("tied tensors", () => {
  test.each(["dynamo", "legacy"])("stay equal, though %s wrote a copy of one", async (kind) => {
    const [zero, one] = [await openFile("tied-layers-0.pt"), await openFile("tied-layers-1.pt")];
    const { graph, binding, networks } = await bind(`tied-layers-${kind}.onnx`, [zero, one], "refuse");
    expect(binding.tied.size).toBe(2);
    const { spec } = await discoverSymmetries({ graph, engine });
    const { network, restore, reread } = networks[1]!;
    expect(await distance(graph, network, "tied-layers", 1)).toBeLessThan(2e-6);
    const permuted = restore(permute(randomAlignment(spec, 3), network, spec));
    expect(await permuted.read("fc1.weight")).toEqual(await permuted.read("fc2.weight"));
    expect(await permuted.read("fc1.weight")).not.toEqual(await one.read("fc1.weight"));
    expect(await distance(graph, reread(permuted), "tied-layers", 1)).toBeLessThan(2e-6);
  });
});
