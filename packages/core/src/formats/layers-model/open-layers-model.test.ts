import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCheckpoint } from "../../open-checkpoint.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-layers-"));
});
afterAll(() => rm(folder, { recursive: true }));

const FLOATS = Float32Array.of(1, 2, 3, 4.5, -1, 0.25);

/** Writes a model and its files of weights, and returns the path of the model. */
async function write(manifest: unknown, files: Record<string, Uint8Array> = {}): Promise<string> {
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  const path = join(folder, "model.json");
  await writeFile(
    path,
    JSON.stringify({ format: "layers-model", modelTopology: {}, weightsManifest: manifest }),
  );
  return path;
}

const weight = (name: string, shape: readonly unknown[], dtype = "float32", quantization?: object) => ({
  name,
  shape,
  dtype,
  ...(quantization && { quantization }),
});

describe("openCheckpoint() of a LayersModel", () => {
  it("reads weights across files, in ranges too", async () => {
    const bytes = new Uint8Array(FLOATS.buffer);
    const files = { "a.bin": bytes.slice(0, 10), "b.bin": bytes.slice(10) };
    const path = await write(
      [{ paths: ["a.bin", "b.bin"], weights: [weight("x", [2, 2]), weight("y", [2])] }],
      files,
    );
    const model = await openCheckpoint(path);
    expect([...model.tensors]).toEqual([
      ["x", { dtype: "f32", shape: [2, 2] }],
      ["y", { dtype: "f32", shape: [2] }],
    ]);
    expect((await model.read("x")).data).toEqual(FLOATS.slice(0, 4));
    expect((await model.read("y")).data).toEqual(FLOATS.slice(4));
    expect(await model.readRange("x", 1, 3)).toEqual(FLOATS.slice(1, 3));
    expect(model.files).toEqual([path, join(folder, "a.bin"), join(folder, "b.bin")]);
    await model.close();
  });

  it("expands quantised weights", async () => {
    const bytes = Uint8Array.of(0, 128, 255, 0, 0, 0, 1, 0, 0x3c, 0, 0xc0, 3);
    const path = await write(
      [
        {
          paths: ["q.bin"],
          weights: [
            weight("u8", [3], "float32", { dtype: "uint8", scale: 0.5, min: -1 }),
            weight("pad", [1], "bool"),
            weight("u16", [2], "float32", { dtype: "uint16", scale: 2, min: 1 }),
          ],
        },
        {
          paths: ["h.bin"],
          weights: [
            weight("f16", [1], "float32", { dtype: "float16" }),
            weight("whole", [2], "int32", { dtype: "uint8", scale: 1, min: -3 }),
          ],
        },
      ],
      { "q.bin": bytes.slice(0, 8), "h.bin": bytes.slice(7, 11) },
    );
    const model = await openCheckpoint(path);
    const data = async (name: string) => [...((await model.read(name)).data as Float32Array)];
    expect(await data("u8")).toEqual([-1, 63, 126.5]);
    expect(await data("u16")).toEqual([1, 3]);
    expect(await data("f16")).toEqual([1]);
    expect((await model.read("whole")).data).toEqual(Int32Array.of(-3, 189));
    await model.close();
  });

  it.each([
    ["no list", {}],
    ["a group without paths", [{ weights: [] }]],
    ["a path elsewhere", [{ paths: ["../a.bin"], weights: [] }]],
    ["a weight without a name", [{ paths: [], weights: [{ shape: [], dtype: "float32" }] }]],
    ["a negative extent", [{ paths: [], weights: [weight("x", [-1])] }]],
    ["an extent that is no number", [{ paths: [], weights: [weight("x", ["1"])] }]],
    ["more than fits", [{ paths: [], weights: [weight("x", [2 ** 40, 2 ** 40])] }]],
    ["more than the files have", [{ paths: ["a.bin"], weights: [weight("x", [1000])] }]],
    ["less than the files have", [{ paths: ["a.bin"], weights: [weight("x", [1])] }]],
    ["a file twice", [{ paths: ["a.bin", "a.bin"], weights: [weight("x", [4])] }]],
    [
      "a file in two groups",
      [
        { paths: ["a.bin"], weights: [weight("x", [2])] },
        { paths: ["a.bin"], weights: [weight("y", [2])] },
      ],
    ],
    ["a weight twice", [{ paths: ["a.bin"], weights: [weight("x", [1]), weight("x", [1])] }]],
    [
      "a quantisation without a scale",
      [{ paths: ["a.bin"], weights: [weight("x", [1], "float32", { dtype: "uint8" })] }],
    ],
  ])("refuses %s", async (_, manifest) => {
    const path = await write(manifest, { "a.bin": new Uint8Array(24) });
    await expect(openCheckpoint(path)).rejects.toMatchObject({ _tag: "FormatError", format: "layers-model" });
  });

  it("refuses other element types, missing files and other models of TensorFlow.js", async () => {
    const text = await write([{ paths: [], weights: [weight("x", [1], "string")] }]);
    await expect(openCheckpoint(text)).rejects.toMatchObject({ _tag: "UnsupportedError", feature: "string" });
    const missing = await write([{ paths: ["none.bin"], weights: [] }]);
    await expect(openCheckpoint(missing)).rejects.toMatchObject({ _tag: "InputError" });
    await writeFile(missing, JSON.stringify({ format: "graph-model", modelTopology: {} }));
    await expect(openCheckpoint(missing)).rejects.toThrow("GraphModel");
  });
});
