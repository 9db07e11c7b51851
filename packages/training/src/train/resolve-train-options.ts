import { assertWholeOptions, excerpt, resolveOptions, UsageError } from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";
import { chooseTrainOptions } from "./choose-train-options.ts";
import { type ResolvedTrainOptions, TRAIN_DEFAULTS, type TrainOptions } from "./train-options.ts";

/** The defaults of all options; placeholders of required options are out of range. */
const UNRESOLVED: ResolvedTrainOptions = {
  ...TRAIN_DEFAULTS,
  seed: -1,
  loss: { kind: "cross-entropy" },
  statePath: undefined,
  onEpoch: undefined,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Fills in the defaults of options, for a graph and its data, and checks their ranges.
 * @param leastEpochs - the least number of epochs; 0 if a network that was not trained at all is a valid
 *   result
 * @throws UsageError if an option is unknown, or needs another that is missing
 * @throws OutOfRangeError if a number is out of its range
 */
export function resolveTrainOptions(
  network: { readonly graph: Graph; readonly data: DataSet },
  options: Omit<TrainOptions, "evaluationData">,
  leastEpochs: 0 | 1 = 0,
): ResolvedTrainOptions {
  const resolved = resolveOptions("train", UNRESOLVED, {
    ...options,
    ...chooseTrainOptions(network, options),
  });
  assertWholeOptions("train", resolved, { seed: 0, epochs: leastEpochs, batch: 1, threads: 0, saveEvery: 0 });
  const { saveEvery, remainder } = resolved;
  if (remainder !== "carry" && remainder !== "drop") {
    throw new UsageError(
      `Cannot train as "remainder" must be "carry" or "drop": it is ${excerpt(remainder)}`,
    );
  }
  const { statePath, resume } = resolved;
  if (statePath === undefined ? resume || saveEvery > 0 : !statePath.endsWith(".safetensors")) {
    throw new UsageError(
      `Cannot train as "statePath" must name a file ending in .safetensors for the state to be kept in: it is ${excerpt(statePath)}`,
    );
  }
  return resolved;
}
