import {
  at,
  type Checkpoint,
  entry,
  OutOfRangeError,
  resolveOptions,
  sumOf,
  type Tensor,
  withTensors,
} from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet } from "@isthmus/graph";
import { activationStatistics } from "../activations/activation-statistics.ts";
import type { UnitStatistics } from "../activations/unit-moments.ts";
import { correctSite, extendWeights, foldCorrections, type Goal } from "./correct-site.ts";
import { expectStatistics, measureJoint, mix } from "./expected-statistics.ts";
import { MEASURE_IN_ORDER_DEFAULTS, type MeasureInOrderOptions, measureInOrder } from "./measure-in-order.ts";
import { goalView, planRepair, type RepairSite } from "./repair-sites.ts";

/** Options of {@link createRepairer}. */
export interface RepairOptions extends MeasureInOrderOptions {
  /**
   * Whether statistics of the combination are computed from the statistics of its networks instead of
   * measured; the combination is not run then, but layers are assumed to be linear. @defaultValue false
   */
  readonly closedForm?: boolean;
}

/** Defaults of {@link createRepairer}. */
const REPAIR_DEFAULTS: Required<RepairOptions> = { ...MEASURE_IN_ORDER_DEFAULTS, closedForm: false };

/**
 * Shares of the networks in a combination, with sum 1: one list for all sites, or a function from the label
 * of a site to its list, for networks whose layers are combined differently.
 */
export type RepairShares = readonly number[] | ((site: string) => readonly number[]);

/** Corrector of any combination of some networks; created by {@link createRepairer}. */
export interface Repairer {
  /** Labels of the layers and norms that are corrected: the name of a weight of each. */
  readonly sites: readonly string[];
  /**
   * Corrects a combination of the networks.
   * @param combination - an average of the networks
   * @param shares - shares of the networks in it; the goal of a site is the average by its shares
   * @returns the combination with new weights and biases of layers, and new statistics, scales and biases of
   *   norms; every other tensor is unchanged
   */
  repair(combination: Checkpoint, shares: RepairShares): Promise<Checkpoint>;
}

/**
 * Prepares REPAIR (Jordan et al. 2023). Averaging networks shrinks the variance of their activations; REPAIR
 * gives every pre-activation of an average the mean and the standard deviation that the pre-activations of
 * the networks have on average.
 *
 * Sites are corrected in order, each after all earlier ones:
 * 1. Outputs of convolutions and linear layers are corrected by the weights and biases of the layer, so that
 *    no node is added; without a bias, the mean of a layer is only scaled with its deviation.
 * 2. Batch norms are measured again, and their scale and bias are set so that their output has the average
 *    statistics; the scale has the same sign as before.
 *
 * Outputs of the graph are not corrected, as in the paper, nor are weights that several layers share. A unit
 * that is constant in the average is not rescaled.
 *
 * Differences from the reference implementation: statistics are in f64 over all examples as one batch instead
 * of running averages of batches; the variance of layers has no epsilon, and does not become NaN if rounding
 * would make it negative; goals of batch norms are measured after the norm, so that stale running statistics
 * of the networks do no harm.
 *
 * The goal is one rule for any number of networks: the mean, by the shares, of their means and of their
 * standard deviations, as in REPAIR for two. The code of C2M3 (Crisostomi et al. 2024) has two rules: for two
 * networks the variance is the square of the mean deviation, which is ours, but for more it is the mean of
 * the variances, which is larger if deviations differ. With one rule the result does not depend on how a
 * merge is written: a network that is given twice counts like one network of twice the share, and a network
 * of share 0 does not count.
 *
 * With `closedForm`, variances of the combination are computed from variances and covariances of the
 * networks, `sum of w_i w_j cov(i, j)` (section 5), which is exact if the inputs of a layer are averages by
 * the same shares.
 *
 * @param networks - networks that are aligned to one another; at least one
 * @throws InputError if the data do not fit the graph, or activations are not finite f32
 * @throws UnsupportedError if two norms share their statistics
 * @throws RangeError if an option is out of its range
 */
export async function createRepairer(
  { graph, engine }: Architecture,
  networks: readonly Checkpoint[],
  data: DataSet,
  options: RepairOptions = {},
): Promise<Repairer> {
  const resolved = resolveOptions("repair", REPAIR_DEFAULTS, options);
  const plan = planRepair(graph);
  const { sites } = plan;
  const views = sites.map(goalView);
  const endpoints: UnitStatistics[][] = [];
  const { batchSize, threads, signal } = resolved;
  const pass = { batchSize, threads, signal };
  for (const network of networks) {
    endpoints.push(await activationStatistics({ graph, engine }, network, data, { views, ...pass }));
  }
  const goalsFor = (shares: Shares) => shares.map((siteShares, i) => goalOf(endpoints, siteShares, i));
  const labels = sites.map(({ label }) => label);
  const sharesAt = (shares: RepairShares): Shares => {
    const bySite = labels.map((label) => (typeof shares === "function" ? shares(label) : shares));
    for (const list of typeof shares === "function" ? bySite : [shares]) assertShares(list, networks);
    return bySite;
  };
  if (resolved.closedForm) {
    const joint = await measureJoint({ graph, engine }, networks, data, { sites, pass });
    return {
      sites: labels,
      async repair(combination, shares) {
        const bySite = sharesAt(shares);
        const goals = goalsFor(bySite);
        const repaired = extendWeights(plan, await bindWeights(graph, combination));
        for (const [i, site] of sites.entries()) {
          const statistics = expectStatistics(joint, at(bySite, i, "site"), i);
          correctSite(site, { goal: at(goals, i, "goal"), statistics }, repaired);
        }
        return withTensors(combination, foldCorrections(plan, repaired));
      },
    };
  }
  return {
    sites: labels,
    async repair(combination, shares) {
      const goals = new Map(goalsFor(sharesAt(shares)).map((goal, i) => [at(sites, i, "site"), goal]));
      const repaired = extendWeights(plan, await bindWeights(graph, combination));
      const measurement = {
        attempt: "repair",
        sites,
        correct: (site: RepairSite, statistics: UnitStatistics, current: Map<string, Tensor>) =>
          correctSite(site, { goal: entry(goals, site, "goal"), statistics }, current),
      };
      await measureInOrder({ graph: plan.extended, engine, weights: repaired }, data, measurement, resolved);
      return withTensors(combination, foldCorrections(plan, repaired));
    },
  };
}

/** Shares of the networks at each site. */
type Shares = readonly (readonly number[])[];

function assertShares(shares: readonly number[], networks: readonly unknown[]): void {
  const sum = sumOf(shares);
  if (shares.length === networks.length && Math.abs(sum - 1) < 1e-9) return;
  throw new OutOfRangeError(
    `Cannot repair a combination of ${networks.length} networks as it must have a share of each, of sum 1: got ${shares.join(", ")}`,
  );
}

function goalOf(
  endpoints: readonly (readonly UnitStatistics[])[],
  shares: readonly number[],
  site: number,
): Goal {
  const statistics = endpoints.map((bySite) => at(bySite, site, "site"));
  const means = statistics.map(({ mean }) => mean);
  const deviations = statistics.map(({ variance }) => variance.map(Math.sqrt));
  // Negative shares, such as in an extrapolation, must not make a deviation negative.
  return { mean: mix(means, shares), deviation: mix(deviations, shares).map((value) => Math.max(0, value)) };
}
