import { InputError } from "@isthmus/core";
import type { Split } from "./parse-data-set-name.ts";

/** Names of the arrays that make a data set, as they are in its file. */
export interface ArrayNames {
  readonly inputs: string;
  /** Name of the inputs without the split. */
  readonly inputName: string;
  /** Missing where the file holds none, as texts that are their own labels. */
  readonly labels: string | undefined;
  /** Names of further arrays in the file, by their names without the split. */
  readonly features: ReadonlyMap<string, string>;
}

/** What is looked for in a file. */
export interface ArrayRequest {
  readonly split: Split;
  readonly file: string;
  /** Names of a graph's inputs. */
  readonly wanted: readonly string[];
}

/** Names of inputs that are in use. */
const INPUTS: readonly string[] = ["x", "images", "inputs", "input", "input_ids", "pixel_values"];

/** Names of labels that are in use. */
const LABELS: readonly string[] = ["y", "labels"];

/** Names of what goes with token ids. */
const FEATURES: readonly string[] = ["attention_mask", "token_type_ids", "position_ids"];

/**
 * Picks the arrays of a file: inputs and what else the graph wants by the names of its inputs, else by names that are in use, `x`,
 * `images`, `inputs`, `input_ids`; labels as `y` or `labels`. Those of the split come first: `x_test`, `test_images`.
 * @throws InputError if there are no inputs
 */
export function pickArrays(names: readonly string[], { split, file, wanted }: ArrayRequest): ArrayNames {
  const own = namesOf(names, split);
  const main = wanted.filter((name) => !FEATURES.includes(name) && !/mask/i.test(name));
  const inputName = [...main, ...INPUTS].find((name) => own.has(name));
  const inputs = own.get(inputName ?? "");
  if (inputName === undefined || inputs === undefined) throw nothingFound(names, { split, file, wanted });
  const labelName = LABELS.find((name) => name !== inputName && own.has(name));
  const further = [...wanted, ...FEATURES].filter((name) => name !== inputName && name !== labelName);
  const features = [...new Set(further)].flatMap((name): [string, string][] => {
    const stored = own.get(name);
    return stored === undefined ? [] : [[name, stored]];
  });
  return { inputs, inputName, labels: own.get(labelName ?? ""), features: new Map(features) };
}

/** Names in the file by those without the split; arrays of the other split are left out. */
function namesOf(names: readonly string[], split: Split): Map<string, string> {
  const own = new Map<string, string>();
  for (const name of names) if (partsOf(name).split === undefined) own.set(name, name);
  for (const name of names) {
    const parts = partsOf(name);
    if (parts.split === split) own.set(parts.name, name);
  }
  return own;
}

/** A name as `x_test` or `test_images`, taken apart. */
function partsOf(name: string): { readonly name: string; readonly split?: Split } {
  const [, before, behind] = /^(?:(test|train)_)?.*?(?:_(test|train))?$/s.exec(name) ?? [];
  const split = (before ?? behind) as Split | undefined;
  if (split === undefined) return { name };
  return {
    split,
    name: before === undefined ? name.slice(0, -split.length - 1) : name.slice(split.length + 1),
  };
}

function nothingFound(names: readonly string[], { split, file, wanted }: ArrayRequest): InputError {
  const other = split === "test" ? "train" : "test";
  const hasOther = INPUTS.some((name) => namesOf(names, other).has(name));
  const hint = hasOther ? `; add :${other} to use those` : "";
  const tried = `x_${split} and y_${split}, or ${split}_images and ${split}_labels, or x and y, or images and labels, or inputs and labels, or input_ids`;
  const named = wanted.length === 0 ? "" : `, or arrays named as the graph's inputs, ${wanted.join(", ")}`;
  return new InputError(
    `Cannot find inputs and labels of the ${split} set in "${file}" as it must have ${tried}${named}: it has ${names.join(", ") || "no arrays"}${hint}`,
    { input: file },
  );
}
