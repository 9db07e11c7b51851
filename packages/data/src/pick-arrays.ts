import { entry, InputError } from "@isthmus/core";
import type { Split } from "./parse-data-set-name.ts";

/** Names of the arrays of a data set in its file. */
export interface ArrayNames {
  readonly inputs: string;
  /** Name of the inputs without the split. */
  readonly inputName: string;
  /** Name of the labels; undefined if the file has none, as for texts whose tokens are predicted. */
  readonly labels: string | undefined;
  /** Names of further arrays in the file, by their names without the split. */
  readonly features: ReadonlyMap<string, string>;
}

/** Split and names that are looked for in a file. */
export interface ArrayRequest {
  readonly split: Split;
  readonly file: string;
  /** Names of a graph's inputs. */
  readonly graphInputs: readonly string[];
}

/** Usual names of inputs. */
const INPUTS: readonly string[] = ["x", "images", "inputs", "input", "input_ids", "pixel_values"];

/** Usual names of labels. */
const LABELS: readonly string[] = ["y", "labels"];

/** Usual names of arrays that accompany token ids. */
const FEATURES: readonly string[] = ["attention_mask", "token_type_ids", "position_ids"];

/**
 * Picks the arrays of a file: inputs and further arrays by the names of the graph's inputs, else by their
 * usual names (`x`, `images`, `inputs`, `input_ids`), and labels as `y` or `labels`. Names with the split
 * come first: `x_test`, `test_images`.
 * @throws InputError if there are no inputs
 */
export function pickArrays(names: readonly string[], request: ArrayRequest): ArrayNames {
  const { split, graphInputs } = request;
  const storedNames = storedNamesOf(names, split);
  const main = graphInputs.filter((name) => !FEATURES.includes(name) && !/mask/i.test(name));
  const inputName = [...main, ...INPUTS].find((name) => storedNames.has(name));
  if (inputName === undefined) throw nothingFound(names, request);
  const labelName = LABELS.find((name) => name !== inputName && storedNames.has(name));
  const further = [...graphInputs, ...FEATURES].filter((name) => name !== inputName && name !== labelName);
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
function storedNamesOf(names: readonly string[], split: Split): Map<string, string> {
  const storedNames = new Map<string, string>();
  for (const name of names) if (partsOf(name).split === undefined) storedNames.set(name, name);
  for (const name of names) {
    const parts = partsOf(name);
    if (parts.split === split) storedNames.set(parts.name, name);
  }
  return storedNames;
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
