import {
  type ByteSource,
  createBytesSource,
  decodeNpy,
  entry,
  FormatError,
  InputError,
  readZipDirectory,
  type Tensor,
  unpackEntry,
  type ZipEntry,
} from "@isthmus/core";
import { MAX_DATA_BYTES } from "./limits.ts";
import { readDataFile } from "./read-data-file.ts";
import type { Split } from "./splits.ts";

/** An open `.npz` file: arrays by name, unpacked one at a time. */
export interface Npz {
  /** Names of the arrays, in order, without `.npy`. */
  readonly names: readonly string[];
  /**
   * Unpacks one array.
   * @throws InputError if there is no array of that name
   * @throws FormatError if it is damaged
   * @throws UnsupportedError if its elements are not numbers or booleans
   */
  read(name: string): Promise<Tensor>;
}

/**
 * Opens a `.npz` file of NumPy, as `savez` or `savez_compressed` write it, to read some of its arrays.
 * @throws InputError if the file does not exist or cannot be read
 * @throws FormatError if the file is not a `.npz` file
 */
export async function openNpz(path: string): Promise<Npz> {
  const source = createBytesSource(await readDataFile(path), path);
  const entries = await listArrays(source);
  return {
    names: [...entries.keys()],
    async read(name) {
      const entry = entries.get(name);
      if (entry === undefined) {
        const names = [...entries.keys()].join(", ") || "no arrays";
        throw new InputError(`Cannot read "${name}" of "${path}" as it must be there: there are ${names}`, {
          input: path,
        });
      }
      return decodeNpy(await unpack(entry, source), `${path}: ${name}`);
    },
  };
}

/**
 * Reads all arrays of a `.npz` file of NumPy, as `savez` or `savez_compressed` write it, by name.
 * @throws InputError if the file does not exist or cannot be read
 * @throws FormatError if the file is not a `.npz` file or is damaged
 * @throws UnsupportedError if elements of an array are not numbers or booleans
 */
export async function readNpz(path: string): Promise<Map<string, Tensor>> {
  const npz = await openNpz(path);
  const tensors = new Map<string, Tensor>();
  for (const name of npz.names) tensors.set(name, await npz.read(name));
  return tensors;
}

async function listArrays(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const files = [...(await readZipDirectory(source))].filter(([file]) => file.endsWith(".npy"));
  return new Map(files.map(([file, entry]) => [file.slice(0, -".npy".length), entry]));
}

async function unpack(entry: ZipEntry, source: ByteSource): Promise<Uint8Array> {
  if (entry.size <= MAX_DATA_BYTES) return unpackEntry(entry, source);
  throw new FormatError(
    `Cannot read "${source.name}" as an array may have at most ${MAX_DATA_BYTES} bytes: "${entry.name}" claims ${entry.size} bytes`,
    { format: "npz" },
  );
}

/** Names of the arrays of a data set in its file. */
interface ArrayNames {
  readonly inputs: string;
  /** Name of the inputs without the split. */
  readonly inputName: string;
  /** Name of the labels; undefined if the file has none, as for texts whose tokens are predicted. */
  readonly labels: string | undefined;
  /** Names of further arrays in the file, by their names without the split. */
  readonly features: ReadonlyMap<string, string>;
}

/** Split and names by which arrays of a file are picked. */
export interface ArrayRequest {
  /** Split, which decides between arrays that are named after splits. */
  readonly split: Split;
  /** Path of the file, for messages. */
  readonly file: string;
  /** Names of a graph's inputs. */
  readonly graphInputs: readonly string[];
  /** Names of a graph's outputs; labels of outputs have the same names. */
  readonly graphOutputs: readonly string[];
}

/** Usual names of inputs. */
const INPUTS: readonly string[] = ["x", "images", "inputs", "input", "input_ids", "pixel_values"];

/** Usual names of labels. */
const LABELS: readonly string[] = ["y", "labels"];

/** Usual names of arrays that accompany token ids. */
const FEATURES: readonly string[] = ["attention_mask", "token_type_ids", "position_ids", "decoder_input_ids"];

/**
 * Picks the arrays of a file: inputs and further arrays by the names of the graph's inputs, else by their
 * usual names (`x`, `images`, `inputs`, `input_ids`), labels as `y` or `labels`, and labels of several
 * outputs by the names of the outputs. Names with the split come first: `x_test`, `test_images`.
 * @throws InputError if there are no inputs
 */
export function pickArrays(names: readonly string[], request: ArrayRequest): ArrayNames {
  const { split, graphInputs, graphOutputs } = request;
  const storedNames = storedNamesOf(names, split);
  const main = graphInputs.filter((name) => !FEATURES.includes(name) && !/mask/i.test(name));
  const inputName = [...main, ...INPUTS].find((name) => storedNames.has(name));
  if (inputName === undefined) throw nothingFound(names, request);
  const labelName = LABELS.find((name) => name !== inputName && storedNames.has(name));
  const further = [...graphInputs, ...graphOutputs, ...FEATURES].filter(
    (name) => name !== inputName && name !== labelName,
  );
  const features = [...new Set(further)].flatMap((name): [string, string][] => {
    const stored = storedNames.get(name);
    return stored === undefined ? [] : [[name, stored]];
  });
  return {
    inputs: entry(storedNames, inputName, "array"),
    inputName,
    labels: labelName === undefined ? undefined : entry(storedNames, labelName, "array"),
    features: new Map(features),
  };
}

/** Returns the names in the file by the names without the split; arrays of the other split are left out. */
export function storedNamesOf(names: readonly string[], split: Split): Map<string, string> {
  const storedNames = new Map<string, string>();
  for (const name of names) if (partsOf(name).split === undefined) storedNames.set(name, name);
  for (const name of names) {
    const parts = partsOf(name);
    if (parts.split === split) storedNames.set(parts.name, name);
  }
  return storedNames;
}

/**
 * Finds the splits in the arrays of a file: both if an array is of one split and another in its place of the
 * other, such as `x_train` and `x_test`, or `x` and `x_test`; else the one that names state, if any.
 */
export function splitsOf(names: readonly string[]): readonly Split[] {
  const [test, train] = [storedNamesOf(names, "test"), storedNamesOf(names, "train")];
  const isPair = (name: string) =>
    !LABELS.includes(name) && train.has(name) && train.get(name) !== test.get(name);
  if ([...test.keys()].some(isPair)) return ["test", "train"];
  const stated = new Set(names.map((name) => partsOf(name).split));
  return (["test", "train"] as const).filter((split) => stated.has(split));
}

/** Splits a name such as `x_test` or `test_images` into the name without the split, and the split. */
function partsOf(name: string): { readonly name: string; readonly split?: Split } {
  const [, before, behind] = /^(?:(test|train)_)?.*?(?:_(test|train))?$/s.exec(name) ?? [];
  const split = (before ?? behind) as Split | undefined;
  if (split === undefined) return { name };
  return {
    split,
    name: before === undefined ? name.slice(0, -split.length - 1) : name.slice(split.length + 1),
  };
}

function nothingFound(names: readonly string[], { split, file, graphInputs }: ArrayRequest): InputError {
  const other = split === "test" ? "train" : "test";
  const hasOther = INPUTS.some((name) => storedNamesOf(names, other).has(name));
  const hint = hasOther ? `; add :${other} to use those` : "";
  const tried = `x_${split} and y_${split}, or ${split}_images and ${split}_labels, or x and y, or images and labels, or inputs and labels, or input_ids`;
  const named =
    graphInputs.length === 0 ? "" : `, or arrays named as the graph's inputs, ${graphInputs.join(", ")}`;
  return new InputError(
    `Cannot find inputs and labels of the ${split} set in "${file}" as it must have ${tried}${named}: it has ${names.join(", ") || "no arrays"}${hint}`,
    { input: file },
  );
}
