import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { createCorrection } from "./create-correction.ts";
import type { StatisticsPolicy } from "./statistics-policy.ts";

/** Options of {@link correctStatistics}. */
export interface CorrectStatisticsOptions {
  readonly statistics: StatisticsPolicy;
  /** Networks that `merged` is an average of; only REPAIR looks at them. @defaultValue none */
  readonly networks?: readonly Checkpoint[];
  /** How much of each network is in `merged`, of any sum. @defaultValue equal shares */
  readonly weights?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns a merged network whose statistics of activations are corrected over examples: running means and
 * variances of its batch
 * norms, or by REPAIR scales and shifts of all its layers, too.
 *
 * Every other tensor stays as it is, and so do names, element types and metadata: what is saved loads
 * wherever `merged` does.
 *
 * @param data - examples that statistics are measured on; 2,500 suffice
 * @throws MismatchError if a network does not fit the graph
 * @throws InputError if the data do not fit the graph, or two norms share their statistics
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { average, correctStatistics, createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@5");
 * const { graph, initialize } = parseNetwork("resnet8:w4", data); // it has batch norms
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const networks = [initialize(0), initialize(1)];
 * const merged = average(networks);
 * const options = { statistics: "recalibrate", networks } as const;
 * const corrected = await correctStatistics(architecture, merged, data, options);
 * const mean = "bn1.running_mean";
 * assert.notDeepEqual(await corrected.read(mean), await merged.read(mean)); // measured anew, on the data
 * ```
 */
export async function correctStatistics(
  architecture: Architecture,
  merged: Checkpoint,
  data: DataSet,
  { statistics, networks = [], weights = networks.map(() => 1), signal }: CorrectStatisticsOptions,
): Promise<Checkpoint> {
  if (statistics === "keep") return merged;
  const correct = await createCorrection(architecture, data, {
    attempt: `correct the statistics of "${merged.source}"`,
    statistics,
    networks: statistics === "recalibrate" ? [] : networks,
    signal,
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const shares = weights.map((weight) => weight / sum);
  return correct(merged, shares);
}
