import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isIsthmusError, openCheckpoint, readJsonFile } from "@isthmus/core";
import { openDataSet, readIdx, readNpy, readNpz } from "@isthmus/data";
import { readGraph, readLayersModel } from "@isthmus/graph";
import { planVocabulary } from "@isthmus/recipe";
import { readResult } from "@isthmus/report";
import { readStudy } from "@isthmus/study";
import { readSpec } from "@isthmus/symmetry";
import { openModel } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openJournal } from "../packages/tasks/src/journal.ts";

const GRAPH = fileURLToPath(new URL("fixtures/mnist-mlp/graph.onnx", import.meta.url));
const WEIGHTS = fileURLToPath(new URL("../examples/mnist-mlp/s0.safetensors", import.meta.url));

let root: string;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "isthmus-hostile-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Something that is in the place of a file and gives bytes without end, or none for ever. */
type Impostor = (path: string) => void;

const IMPOSTORS: readonly (readonly [string, Impostor])[] = [
  ["a pipe", (path) => void execFileSync("mkfifo", [path])],
  ["a link to a device", (path) => symlinkSync("/dev/zero", path)],
  ["a folder", (path) => void mkdirSync(path)],
];

/** A folder with an impostor of some name, and other files. */
function folderWith(name: string, place: Impostor, files: Readonly<Record<string, string>> = {}): string {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  place(join(folder, name));
  for (const [other, content] of Object.entries(files)) writeFileSync(join(folder, other), content);
  return folder;
}

const at = (read: (path: string) => Promise<unknown>) => async (place: Impostor) =>
  read(join(folderWith("file", place), "file"));

/** Ways in which files are read; each is given what puts an impostor in the place of one. */
const READERS: Readonly<Record<string, (place: Impostor) => Promise<unknown>>> = {
  "a graph": at(readGraph),
  "the model of TensorFlow.js": at(readLayersModel),
  "a result": at(readResult),
  symmetries: at(async (path) => readSpec(path, (await readGraph(GRAPH)).graph)),
  "an alignment": at(readJsonFile),
  "a journal": at((path) => openJournal(path, {})),
  "a study": at(readStudy),
  images: at(readIdx),
  "an array": at(readNpy),
  arrays: at(readNpz),
  "a text": at((path) => openDataSet(`text:${path}`)),
  "weights of a data set": at((path) => openDataSet(`npz:${path}`)),
  "a table": at((path) => openDataSet(`csv:${path}`)),
  "a batch of CIFAR": (place) => openDataSet(`cifar10:${folderWith("test_batch.bin", place)}`),
  "a pickle of CIFAR": (place) => openDataSet(`cifar10:${folderWith("test_batch", place)}`),
  "a Parquet file": (place) => openDataSet(`parquet:${folderWith("x.parquet", place)}`),
  "a shard": (place) => openCheckpoint(join(folderWith("x", place, { i: '{"weight_map":{"a":"x"}}' }), "i")),
  "a shard of a folder": (place) => openCheckpoint(folderWith("x.safetensors", place)),
  "weights of a model of TensorFlow.js": (place) => {
    const weights = [{ name: "a", shape: [1], dtype: "float32" }];
    const model = JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths: ["w.bin"], weights }] });
    return openCheckpoint(join(folderWith("w.bin", place, { "model.json": model }), "model.json"));
  },
  "the config of a model": (place) => openModel(folderWith("config.json", place)),
  "a tokenizer beside a model": (place) => {
    const directory = folderWith("tokenizer.json", place, { "config.json": "{}" });
    return planVocabulary({ networks: [{ name: "a", directory }] });
  },
};

describe.runIf(process.platform === "linux")("what is no file", () => {
  it.each(
    Object.entries(READERS).flatMap(([reader, read]) =>
      IMPOSTORS.map(([what, place]) => ({ what, reader, read: () => read(place) })),
    ),
  )("$what in the place of $reader is refused at once", async ({ read }) => {
    const error = await read().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(isIsthmusError(error)).toBe(true);
    expect(String((error as Error).message)).toMatch(/^Cannot .*(regular file|folder|safetensors)/);
  });

  it("a checkpoint is refused if it is a pipe or a device, and searched if it is a folder", async () => {
    for (const [what, place] of IMPOSTORS) {
      const path = join(folderWith("x.safetensors", place), "x.safetensors");
      const message = what === "a folder" ? /must hold safetensors files/ : /must be a regular file/;
      await expect(openCheckpoint(path)).rejects.toThrow(message);
    }
  });

  it("the file itself is read", async () => {
    const folder = folderWith("x.safetensors", (path) => writeFileSync(path, readFileSync(WEIGHTS)));
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.tensors.size).toBe(8);
    await checkpoint.close();
  });
});
