import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readArchitecture } from "./open-architecture.ts";

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
