import { type Checkpoint, createCheckpoint, entry, OutOfRangeError, sumOf } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet } from "@isthmus/graph";
import { recalibrateBatchNorm } from "../repair/recalibrate-batch-norm.ts";
import { createRepairer, type RepairShares } from "../repair/repair.ts";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "./statistics-policy.ts";

/** Options of {@link correctStatistics}. */
export interface CorrectStatisticsOptions {
  /** Policy by which statistics are corrected. */
  readonly statistics: StatisticsPolicy;
  /** Networks that `merged` is an average of; only REPAIR reads them. @defaultValue none */
  readonly networks?: readonly Checkpoint[];
  /** Weight of each network in `merged`; the weights may have any sum. @defaultValue equal weights */
  readonly weights?: readonly number[];
  /** Signal that stops the measurement. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns a merged network whose statistics of activations are corrected over examples: running means and
 * variances of its batch norms, or by REPAIR scales and shifts of all its layers, too.
 *
 * Every other tensor is unchanged, and so are names, element types and metadata: the saved result loads
 * wherever `merged` does.
 *
 * @param data - examples that statistics are measured on; 2,500 are enough
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
  const sum = sumOf(weights);
  const shares = weights.map((weight) => weight / sum);
  return correct(merged, shares);
}

/** Options of {@link createCorrection}. */
export interface CorrectionOptions {
  /** Action that messages name, for example `measure a barrier`. */
  readonly attempt: string;
  /** Policy by which statistics are corrected. */
  readonly statistics: StatisticsPolicy;
  /** Networks whose statistics REPAIR gives to an average of them; other policies ignore them. */
  readonly networks: readonly Checkpoint[];
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number | undefined;
  /** Signal that stops the measurement. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Function that corrects the statistics of a network that has `shares[i]` of each network. */
export type Correction = (combination: Checkpoint, shares: RepairShares) => Promise<Checkpoint>;

/**
 * Prepares the correction of any number of networks by one policy: statistics of the networks that they are
 * made of are measured only once.
 *
 * A corrected network has the element types of the combination: pass one in f32 if nothing may be rounded.
 * @param data - examples that statistics are measured on
 * @throws RangeError if the policy is unknown
 * @throws InputError if the data do not fit the graph
 */
export async function createCorrection(
  architecture: Architecture,
  data: DataSet,
  { attempt, statistics, networks, batchSize, signal }: CorrectionOptions,
): Promise<Correction> {
  const options = { ...(batchSize !== undefined && { batchSize }), signal };
  const createRepair = async (closedForm: boolean): Promise<Correction> => {
    const held = await Promise.all(networks.map((network) => holdInMemory(architecture, network)));
    const repairer = await createRepairer(architecture, held, data, { ...options, closedForm });
    return (combination, shares) => repairer.repair(combination, shares);
  };
  const policies: Readonly<Record<StatisticsPolicy, () => Correction | Promise<Correction>>> = {
    keep: () => async (combination) => combination,
    recalibrate: () => (combination) => recalibrateBatchNorm(architecture, combination, data, options),
    repair: () => createRepair(false),
    "repair-closed-form": () => createRepair(true),
  };
  if (!STATISTICS_POLICIES.includes(statistics)) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as "statistics" must be one of ${STATISTICS_POLICIES.join(", ")}: it is ${statistics}`,
    );
  }
  return entry(new Map(Object.entries(policies)), statistics, "policy")();
}

/** Reads the weights of a network once, in the graph's element types, so that later passes read no files. */
export async function holdInMemory({ graph }: Architecture, network: Checkpoint): Promise<Checkpoint> {
  return createCheckpoint(await bindWeights(graph, network), network.metadata, network.source);
}
