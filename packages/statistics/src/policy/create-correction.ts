import { entry, OutOfRangeError, type Tensor } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { recalibrateBatchNorm } from "../repair/recalibrate-batch-norm.ts";
import { createRepairer, type RepairShares } from "../repair/repair.ts";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "./statistics-policy.ts";

/** Options of {@link createCorrection}. */
export interface CorrectionOptions {
  /** What is attempted, for messages, for example `measure a barrier`. */
  readonly attempt: string;
  readonly statistics: StatisticsPolicy;
  /** Weights of the networks whose statistics REPAIR gives to an average of them; other policies ignore it. */
  readonly networks: readonly ReadonlyMap<string, Tensor>[];
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Corrects the weights of a network that has `shares[i]` of each network, and returns all of its weights. */
export type Correction = (
  weights: ReadonlyMap<string, Tensor>,
  shares: RepairShares,
) => Promise<ReadonlyMap<string, Tensor>>;

/**
 * Prepares the correction of any number of networks by one policy: everything that is measured of the ends is measured once.
 * @param data - examples that statistics are measured on
 * @throws OutOfRangeError if the policy is unknown
 * @throws InputError if the data do not fit the graph
 */
export async function createCorrection(
  { graph, engine }: Architecture,
  data: DataSet,
  { attempt, statistics, networks, batchSize, signal }: CorrectionOptions,
): Promise<Correction> {
  const options = { ...(batchSize !== undefined && { batchSize }), signal };
  const policies: Readonly<Record<StatisticsPolicy, () => Correction | Promise<Correction>>> = {
    keep: () => async (weights) => weights,
    recalibrate: () => (weights) => recalibrateBatchNorm({ graph, engine, weights }, data, options),
    repair: () => createRepair(false),
    "repair-closed-form": () => createRepair(true),
  };
  const createRepair = async (closedForm: boolean): Promise<Correction> => {
    const repairer = await createRepairer({ graph, engine, networks }, data, { ...options, closedForm });
    return (weights, shares) => repairer.repair(weights, shares);
  };
  if (!STATISTICS_POLICIES.includes(statistics)) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as "statistics" must be one of ${STATISTICS_POLICIES.join(", ")}: it is ${statistics}`,
    );
  }
  return entry(new Map(Object.entries(policies)), statistics, "policy")();
}
