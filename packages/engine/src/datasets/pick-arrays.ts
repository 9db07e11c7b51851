import { InputError } from "@isthmus/core";
import type { Split } from "./parse-data-set-name.ts";

/** Names of the two arrays that make a data set. */
export interface ArrayNames {
  readonly inputs: string;
  readonly labels: string;
}

/**
 * Picks the arrays of a file by the names that are in use, those of the split first: `x_test` and `y_test`,
 * `test_images` and `test_labels`, then `x` and `y`, `images` and `labels`, `inputs` and `labels`.
 * @throws InputError if no pair is there
 */
export function pickArrays(names: readonly string[], split: Split, file: string): ArrayNames {
  const pairs = pairsOf(split);
  const found = findPair(names, pairs);
  if (found !== undefined) return found;
  const other = split === "test" ? "train" : "test";
  const hint = findPair(names, pairsOf(other)) === undefined ? "" : `; add :${other} to use those`;
  const tried = pairs.map(({ inputs, labels }) => `${inputs} and ${labels}`).join(", or ");
  throw new InputError(
    `Cannot find inputs and labels of the ${split} set in "${file}" as it must have ${tried}: it has ${names.join(", ") || "no arrays"}${hint}`,
    { input: file },
  );
}

function pairsOf(split: Split): ArrayNames[] {
  return [
    { inputs: `x_${split}`, labels: `y_${split}` },
    { inputs: `${split}_images`, labels: `${split}_labels` },
    { inputs: "x", labels: "y" },
    { inputs: "images", labels: "labels" },
    { inputs: "inputs", labels: "labels" },
  ];
}

function findPair(names: readonly string[], pairs: readonly ArrayNames[]): ArrayNames | undefined {
  return pairs.find(({ inputs, labels }) => names.includes(inputs) && names.includes(labels));
}
