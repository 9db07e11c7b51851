import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, encodeGraph } from "@isthmus/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataContext } from "./data-context.ts";
import { networkOfConfig } from "./network-of-config.ts";
import { openSharedArchitecture, readArchitecture } from "./open-architecture.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-architecture-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("readArchitecture()", () => {
  it("reads ONNX", async () => {
    const path = new URL("../../../../test/fixtures/mnist-mlp/graph.onnx", import.meta.url).pathname;
    expect([...(await readArchitecture(path)).graph.weights.keys()]).toContain("layers.0.weight");
  });

  it("reads the model.json of a LayersModel", async () => {
    const layer = {
      class_name: "Dense",
      config: { name: "d", batch_input_shape: [null, 2], use_bias: false },
    };
    const manifest = [{ paths: ["w.bin"], weights: [{ name: "d/kernel", shape: [2, 1], dtype: "float32" }] }];
    await writeFile(join(folder, "w.bin"), new Uint8Array(8));
    const path = join(folder, "model.json");
    const modelTopology = { class_name: "Sequential", config: { name: "m", layers: [layer] } };
    await writeFile(path, JSON.stringify({ modelTopology, weightsManifest: manifest }));
    const { graph } = await readArchitecture(path);
    expect([...graph.weights.keys()]).toEqual(["d/kernel"]);
    expect(graph.inputs.map(({ shape }) => shape)).toEqual([["N", 2]]);
  });

  it("refuses other JSON, saying what it must be", async () => {
    const path = join(folder, "other.json");
    await writeFile(path, "{}");
    await expect(readArchitecture(path)).rejects.toThrow("model.json of a LayersModel");
  });
});

describe("openSharedArchitecture()", () => {
  it("takes the vocabulary in the folder of the weights, though a graph is named", async () => {
    const network = networkOfConfig({
      ...{ model_type: "gpt2", vocab_size: 3, n_embd: 4, n_layer: 1, n_head: 1, n_positions: 8 },
    });
    const graph = join(folder, "gpt.onnx");
    await writeFile(graph, encodeGraph(network.graph));
    await writeFile(join(folder, "vocab.json"), '{"a":2,"b":0,"c":1}');
    const opened = await openSharedArchitecture([join(folder, "a.safetensors")], {} as Engine, { graph });
    const vocabulary = new Map([
      ["a", 2],
      ["b", 0],
      ["c", 1],
    ]);
    expect(dataContext(opened)).toMatchObject({ context: 8, vocabulary });
    expect(dataContext({ graph: network.graph }).vocabulary).toBeUndefined();
  });
});
