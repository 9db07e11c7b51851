import { fileURLToPath } from "node:url";
import {
  at,
  type Checkpoint,
  convertData,
  createCheckpoint,
  entry,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  type BindNetworksOptions,
  bindArchitecture,
  bindNetworks,
  bindWeights,
  type DecodedGraph,
  describeSource,
  type Graph,
  readGraph,
  verifyBinding,
} from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import { openFilesOf } from "../../../test/helpers/open-files.ts";
import { isUnchanged } from "../src/binding/weight-source.ts";

const engine = createOnnxRuntimeEngine();

const FOLDER = fileURLToPath(new URL("../../../test/fixtures/exported-networks/", import.meta.url));
const pathOf = (name: string): string => `${FOLDER}${name}`;

const openFile = openFilesOf(FOLDER);

/** A copy in memory with some tensors replaced or, where undefined, left out. */
async function changed(
  checkpoint: Checkpoint,
  changes: Readonly<Record<string, Tensor | undefined>> = {},
): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of checkpoint.tensors.keys()) tensors.set(name, await checkpoint.read(name));
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  return createCheckpoint(tensors, {}, checkpoint.source);
}

const vector = (...values: number[]): Tensor => ({
  dtype: "f32",
  shape: [values.length],
  data: Float32Array.from(values),
});

describe("bindNetworks()", () => {
  test("says what the exporter did: norms folded in, matrices transposed, a token repeated", async () => {
    const sourcesOf = async (file: string, checkpoint: string) => {
      const { binding } = await bindNetworks(await readGraph(pathOf(file)), [await openFile(checkpoint)]);
      const moved = [...binding.sources].filter(([weight, source]) => !isUnchanged(weight, source));
      return moved.map(([, source]) => describeSource(source));
    };
    expect(await sourcesOf("conv-norm-dynamo.onnx", "conv-norm-0.pt")).toEqual([
      "conv1.weight with the norm of bn1.weight",
      "the offset of the norm of bn1.weight",
      "conv2.weight with the norm of bn2.weight",
      "the offset of the norm of bn2.weight",
      "up.weight with the norm of bn3.running_var",
      "the offset of the norm of bn3.running_var",
    ]);
    expect(await sourcesOf("class-token-dynamo-fixed.onnx", "class-token-0.pt")).toEqual(
      expect.arrayContaining(["cls, repeated", "the transpose of attn.in_proj_weight"]),
    );
  });

  test("reads weights that lie in a file beside the graph", async () => {
    const decoded = await readGraph(pathOf("conv-norm-external.onnx"));
    const bound = await bindNetworks(decoded, [await openFile("conv-norm-0.pt")]);
    expect(await verifyBinding(decoded, bound, engine, { seed: 0 })).toBeLessThan(1e-5);
  });

  test("finds the network under prefixes and beside an optimizer, and gives it back as it was", async () => {
    const decoded = await readGraph(pathOf("conv-norm-dynamo.onnx"));
    const plain = await openFile("conv-norm-0.pt");
    for (const kind of ["parallel", "compiled", "training"]) {
      const checkpoint = await openFile(`conv-norm-0-${kind}.pt`);
      const { graph, networks } = await bindNetworks(decoded, [checkpoint, plain]);
      const [one, two] = networks;
      const [a, b] = [await bindWeights(graph, one!.network), await bindWeights(graph, two!.network)];
      expect(a).toEqual(b);
      const restored = one!.restore(one!.network);
      const expected = [...checkpoint.tensors].filter(([name]) => !name.startsWith("opt."));
      expect([...restored.tensors]).toEqual(expected);
      expect(await restored.read(expected[0]![0])).toEqual(await checkpoint.read(expected[0]![0]));
    }
  });

  test("finds a network that was saved in bf16 or f16", async () => {
    const decoded = await readGraph(pathOf("encoder-dynamo.onnx"));
    const full = await openFile("encoder-0.pt");
    for (const dtype of ["bf16", "f16"] as const) {
      const narrow: Record<string, Tensor> = {};
      for (const [name, info] of full.tensors) {
        if (info.dtype !== "f32") continue;
        const { data, shape } = await full.read(name);
        narrow[name] = { dtype, shape, data: convertData(data, "f32", dtype) };
      }
      const bound = await bindNetworks(decoded, [await changed(full, narrow)]);
      expect(bound.binding.sources.size).toBe(17);
      expect(await verifyBinding(decoded, bound, engine, { seed: 0 })).toBeLessThan(0.05);
    }
  });

  test("stops where the graph is of another network that folded its norms, until it is named", async () => {
    const decoded = await readGraph(pathOf("conv-norm-dynamo.onnx"));
    const [zero, one] = [await openFile("conv-norm-0.pt"), await openFile("conv-norm-1.pt")];
    await expect(bindNetworks(decoded, [one])).rejects.toThrow(
      /its file carries the weights of another network.*"conv1\.weight" \(the tensor of that name has other values\).*not read are.*--exported-from/s,
    );
    const { graph, networks } = await bindNetworks(decoded, [one], { exportedFrom: zero });
    expect(graph.nodes.filter(({ op }) => op === "BatchNormalization")).toHaveLength(3);
    expect(networks).toHaveLength(1);
  });

  test("takes the graph's source by its path, which it closes again, and says what it found", async () => {
    const { graph, weights: carried } = await readGraph(pathOf("conv-norm-dynamo.onnx"));
    const one = await openFile("conv-norm-1.pt");
    const notes: string[] = [];
    const bound = await bindArchitecture({ graph, carried, engine }, [one], {
      exportedFrom: pathOf("conv-norm-0.pt"),
      onNote: (text) => notes.push(text),
    });
    const exportedFrom = await openFile("conv-norm-0.pt");
    const { binding } = await bindArchitecture({ graph, carried, engine }, [one], { exportedFrom });
    expect(bound.binding).toEqual(binding);
    expect(notes[0]).toMatch(/^Weights: \d+ by name, \d+ by value; 3 had a batch norm folded in/);
  });

  test("asks for the graph's source if a tensor differs from it in some numbers", async () => {
    const decoded = await readGraph(pathOf("linear-norm-dynamo.onnx"));
    const zero = await openFile("linear-norm-0.pt");
    const weight = await zero.read("fc2.weight");
    const data = (weight.data as Float32Array).map((value, i) => (i < 3 ? 0 : value));
    const pruned = await changed(zero, { "fc2.weight": { ...weight, data }, unused: vector(1, 2) });
    await expect(bindNetworks(decoded, [pruned])).rejects.toThrow(
      /"fc2\.weight" \(the tensor of that name has other values, 3 of 35\).*another network than the one.*--exported-from/s,
    );
    const { networks } = await bindNetworks(decoded, [pruned], { exportedFrom: zero, unread: "keep" });
    expect(networks[0]?.kept).toEqual(["unused"]);
  });

  test("goes by names where they account for everything, whatever network the graph is of", async () => {
    const decoded = await readGraph(pathOf("conv-norm-legacy-unfolded.onnx"));
    const { binding, exported } = await bindNetworks(decoded, [await openFile("conv-norm-1.pt")]);
    expect(binding.disagreeing.length).toBe(binding.sources.size);
    expect(exported).toBeUndefined();
  });

  test("takes no reordered copy of the graph's source for it", async () => {
    const decoded = await readGraph(pathOf("conv-norm-legacy-unfolded.onnx"));
    const source = await openFile("conv-norm-0.pt");
    const [kernel, bias] = [await source.read("conv1.weight"), await source.read("bn1.bias")];
    const rows = Array.from({ length: at(kernel.shape, 0) }, (_, row) => row);
    const size = sizeOf(kernel.shape) / rows.length;
    const values = kernel.data as Float32Array;
    const turned = Float32Array.from(
      rows.toReversed().flatMap((row) => [...values.subarray(row * size, (row + 1) * size)]),
    );
    const copy = await changed(source, {
      "conv1.weight": { ...kernel, data: turned },
      "bn1.bias": { ...bias, data: (bias.data as Float32Array).toReversed() },
    });
    const alone = await bindNetworks(decoded, [copy]);
    expect([...alone.binding.sources].every(([weight, from]) => isUnchanged(weight, from))).toBe(true);
    expect(alone.binding.disagreeing).toContain("conv1.weight");
    expect((await bindNetworks(decoded, [copy, source])).exported?.source).toBe(source.source);
  });

  test("refuses a graph without values whose names were lost, and says how to export it", async () => {
    const decoded = await readGraph(pathOf("encoder-legacy.onnx"));
    const bare: DecodedGraph = { graph: decoded.graph, weights: new Map() };
    await expect(bindNetworks(bare, [await openFile("encoder-0.pt")])).rejects.toThrow(
      /every weight must be found in it.*carries no values to find them by: export it with its weights/s,
    );
  });

  test("refuses tensors that the graph does not read, unless they are to be kept", async () => {
    const decoded = await readGraph(pathOf("linear-norm-dynamo.onnx"));
    const plain = await openFile("linear-norm-0.pt");
    const extra = { "head.weight": vector(1, 2, 3), inv_freq: vector(4, 5) };
    const larger = await changed(plain, extra);
    await expect(bindNetworks(decoded, [larger])).rejects.toThrow(
      /every floating-point tensor must be read.*one is not, "head\.weight".*--unread keep/s,
    );
    const { networks } = await bindNetworks(decoded, [larger], { unread: "keep" });
    const { kept, network, restore } = networks[0]!;
    expect(kept).toEqual(["head.weight"]);
    expect(network.tensors.has("head.weight")).toBe(false);
    expect(network.tensors.has("inv_freq")).toBe(true);
    expect(await restore(network).read("head.weight")).toEqual(extra["head.weight"]);
  });

  test("leaves out a copy of the network behind another prefix, once one is named", async () => {
    const decoded = await readGraph(pathOf("linear-norm-dynamo.onnx"));
    const plain = await openFile("linear-norm-0.pt");
    const both = new Map<string, Tensor>();
    for (const prefix of ["state_dict.net.", "ema.net."])
      for (const name of plain.tensors.keys()) both.set(prefix + name, await plain.read(name));
    const file = createCheckpoint(both, {}, "both.ckpt");
    await expect(bindNetworks(decoded, [file])).rejects.toThrow(/say which with --prefix/);
    const { networks } = await bindNetworks(decoded, [file], { prefix: "state_dict." });
    const { network, leftOut, restore } = networks[0]!;
    expect(leftOut).toEqual([...plain.tensors.keys()].map((name) => `ema.net.${name}`));
    expect([...restore(network).tensors.keys()]).toEqual(
      [...plain.tensors.keys()].map((name) => `state_dict.net.${name}`),
    );
  });

  test("reads a tied copy for both, and refuses a network where they differ", async () => {
    const decoded = await readGraph(pathOf("linear-norm-dynamo.onnx"));
    const plain = await openFile("linear-norm-0.pt");
    const weight = await plain.read("fc1.weight");
    const tied = await changed(plain, { "tied.weight": weight });
    const { networks, binding } = await bindNetworks(decoded, [tied]);
    expect([...binding.tied]).toEqual([["tied.weight", "fc1.weight"]]);
    const { network, restore } = networks[0]!;
    const moved = await changed(network, {
      "fc1.weight": { ...weight, data: (weight.data as Float32Array).map((x) => x + 1) },
    });
    const restored = restore(moved);
    expect(await restored.read("tied.weight")).toEqual(await restored.read("fc1.weight"));
    const other = await changed(await openFile("linear-norm-1.pt"), { "tied.weight": weight });
    await expect(bindNetworks(decoded, [tied, other])).rejects.toThrow(/both must be equal: they differ/);
  });

  test("refuses a checkpoint that lacks a tensor or has it in another shape", async () => {
    const decoded = await readGraph(pathOf("linear-norm-dynamo.onnx"));
    const plain = await openFile("linear-norm-0.pt");
    const other = await openFile("linear-norm-1.pt");
    const lacking = await changed(other, { "bn1.running_var": undefined });
    await expect(bindNetworks(decoded, [plain, lacking])).rejects.toThrow(
      /lacks 1 of 8 weights: "bn1\.running_var"/,
    );
    const wide = await changed(other, { "bn1.running_var": vector(1, 2) });
    await expect(bindNetworks(decoded, [plain, wide])).rejects.toThrow(/shapes must be equal/);
  });

  test("refuses unknown options", async () => {
    const decoded = await readGraph(pathOf("linear-norm-dynamo.onnx"));
    const options = { exported: true } as BindNetworksOptions;
    await expect(bindNetworks(decoded, [await openFile("linear-norm-0.pt")], options)).rejects.toThrow(
      /exported/,
    );
  });
});

/** A graph `y = x + w` whose file carries `w`. */
function addition(w: Tensor): DecodedGraph {
  const node = {
    name: "add",
    op: "Add",
    domain: "",
    inputs: ["x", "w"],
    outputs: ["y"],
    attributes: new Map(),
  };
  const graph: Graph = {
    name: "addition",
    opsets: new Map([["", 17]]),
    inputs: [{ name: "x", dtype: "f32", shape: w.shape }],
    weights: new Map([["w", { dtype: w.dtype, shape: w.shape, role: "parameter" }]]),
    constants: new Map(),
    nodes: [node],
    outputs: [{ name: "y", dtype: "f32", shape: w.shape }],
  };
  return { graph, weights: new Map([["w", w]]) };
}

describe("bindGraph()", () => {
  const numbers = (shape: readonly number[], offset = 0): Tensor => ({
    dtype: "f32",
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i + offset) + i + offset),
  });
  const pick = (shape: readonly number[], tensor: Tensor, places: readonly number[]): Tensor => ({
    dtype: "f32",
    shape,
    data: Float32Array.from(places, (place) => tensor.data[place] as number),
  });
  const t = numbers([6, 4]);
  const places = [...t.data.keys()];
  const row = (i: number) => places.slice(4 * i, 4 * i + 4);
  const cases: readonly (readonly [string, Tensor, Readonly<Record<string, Tensor>>])[] = [
    ["another name", { ...t }, { t }],
    ["another shape", { ...t, shape: [2, 3, 4] }, { t }],
    [
      "a transpose",
      pick(
        [4, 6],
        t,
        places.map((i) => (i % 6) * 4 + Math.floor(i / 6)),
      ),
      { t },
    ],
    ["a slice", pick([2, 4], t, [...row(3), ...row(4)]), { t }],
    [
      "a repetition",
      pick([3, 1, 4], numbers([1, 4]), [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]),
      { t: numbers([1, 4]) },
    ],
    ["rows in another order", pick([6, 4], t, [4, 5, 0, 1, 2, 3].flatMap(row)), { t }],
    [
      "rows that were looked up",
      pick([200, 4], t, Array.from({ length: 200 }, (_, i) => (i * i) % 6).flatMap(row)),
      { t },
    ],
  ];

  test.each(cases)("writes %s as nodes of the graph", async (_, w, tensors) => {
    const decoded = addition(w);
    const checkpoint = createCheckpoint(tensors);
    const bound = await bindNetworks(decoded, [checkpoint]);
    expect([...bound.graph.weights.keys()]).toEqual(Object.keys(tensors));
    expect(await verifyBinding(decoded, bound, engine, { seed: 0, tolerance: 0 })).toBe(0);
  });

  test("keeps what no tensor is left for as a constant of the architecture", async () => {
    const { graph, weights } = addition(numbers([3]));
    const table = numbers([3], 50);
    const more: DecodedGraph = {
      graph: {
        ...graph,
        weights: new Map([...graph.weights, ["table", { dtype: "f32", shape: [3], role: "parameter" }]]),
        nodes: [...graph.nodes, { ...graph.nodes[0]!, name: "more", inputs: ["y", "table"], outputs: ["z"] }],
        outputs: [{ name: "z", dtype: "f32", shape: [3] }],
      },
      weights: new Map([...weights, ["table", table]]),
    };
    const { graph: bound, binding } = await bindNetworks(more, [createCheckpoint({ a: numbers([3]) })]);
    expect(binding.constants).toEqual(["table"]);
    expect(entry(bound.constants, "table")).toEqual(table);
    expect([...bound.weights.keys()]).toEqual(["a"]);
  });

  test("frees names that nodes and constants of the graph have taken", async () => {
    const { graph, weights } = addition(numbers([3]));
    const taken: DecodedGraph = {
      graph: {
        ...graph,
        constants: new Map([["t", vector(1, 1, 1)]]),
        nodes: [...graph.nodes, { ...graph.nodes[0]!, name: "more", inputs: ["y", "t"], outputs: ["z"] }],
        outputs: [{ name: "z", dtype: "f32", shape: [3] }],
      },
      weights,
    };
    const bound = await bindNetworks(taken, [createCheckpoint({ t: numbers([3]) })]);
    expect(await verifyBinding(taken, bound, engine, { seed: 0, tolerance: 0 })).toBe(0);
  });
});

describe("verifyBinding()", () => {
  test("catches a graph whose file computes something else than the checkpoint", async () => {
    const decoded = await readGraph(pathOf("conv-norm-dynamo.onnx"));
    const bound = await bindNetworks(decoded, [await openFile("conv-norm-0.pt")]);
    const wrong = { ...bound, exported: await openFile("conv-norm-1.pt") };
    await expect(verifyBinding(decoded, wrong, engine, { seed: 0 })).rejects.toThrow(
      /must compute what the checkpoint does: outputs differ by/,
    );
  });
});
