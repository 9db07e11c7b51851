import { resolveOptions, type Tensor } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { activationStatistics } from "../activations/activation-statistics.ts";
import type { UnitStatistics } from "../activations/unit-moments.ts";
import { correctSite, extendWeights, foldCorrections, type Goal } from "./correct-site.ts";
import { expectStatistics, measureJoint, mix, type RepairNetworks } from "./expected-statistics.ts";
import { MEASURE_IN_ORDER_DEFAULTS, type MeasureInOrderOptions, measureInOrder } from "./measure-in-order.ts";
import { goalView, planRepair, type RepairSite } from "./repair-sites.ts";

/** Options of {@link createRepairer}. */
export interface RepairOptions extends MeasureInOrderOptions {
  /**
   * Whether statistics of the combination are computed from those of the networks it is made of, instead of measured: no run
   * of the combination, at the price of taking layers for linear. @defaultValue false
   */
  readonly closedForm?: boolean;
}

/** Defaults of {@link createRepairer}. */
export const REPAIR_DEFAULTS: Required<RepairOptions> = { ...MEASURE_IN_ORDER_DEFAULTS, closedForm: false };

/**
 * How much of each network is in a combination, of sum 1: the same everywhere, or for each site by its label, for networks whose
 * layers are combined differently.
 */
export type RepairShares = readonly number[] | ((site: string) => readonly number[]);

/** Corrects any combination of some networks; made by {@link createRepairer}. */
export interface Repairer {
  /** Layers and norms that are corrected, by a weight of each. */
  readonly sites: readonly string[];
  /**
   * Corrects a combination of the networks.
   * @param weights - of the combination, a tensor for every weight of the graph
   * @param shares - of each network in it; a site's goal is the average by its own
   * @returns all of `weights`; weights and biases of layers, and all that belongs to norms, replaced
   */
  repair(weights: ReadonlyMap<string, Tensor>, shares: RepairShares): Promise<Map<string, Tensor>>;
}

/**
 * Prepares REPAIR (Jordan et al. 2023): averaging networks shrinks the variance of their activations; REPAIR gives every
 * pre-activation of an average the mean and the standard deviation that those of the networks have on average.
 *
 * Corrected are, in order, each with all before it corrected: 1. outputs of convolutions and linear layers, by their own
 * weights and biases, so that no node is added; a layer without a bias keeps a mean that is scaled with its deviation;
 * 2. batch norms: statistics are measured anew and scale and bias are set so that what comes out has the average statistics,
 * the scale with the sign it had. Outputs of the graph are left alone, as in the paper, and so are weights that several
 * layers share. A unit that is constant in the average is not rescaled.
 *
 * Differs from the reference implementation in: statistics in f64 over all examples as one batch instead of running averages
 * of batches; no epsilon in the variance of layers, and no NaN where rounding would make it negative; goals of batch norms
 * are measured behind the norm, so that stale running statistics of the networks do no harm.
 *
 * With `closedForm`, variances of the combination come from variances and covariances of the networks,
 * `sum of w_i w_j cov(i, j)` (section 5), which holds exactly where the inputs of a layer are averages themselves, by the same shares.
 *
 * @param networks - a tensor for every weight of the graph each, aligned to one another; at least one
 * @throws InputError if the data do not fit the graph, or activations are not finite f32
 * @throws UnsupportedError if two norms share their statistics
 * @throws RangeError if an option is out of its range
 */
export async function createRepairer(
  { graph, engine, networks }: RepairNetworks,
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
  for (const weights of networks) {
    endpoints.push(await activationStatistics({ graph, engine, weights }, data, views, pass));
  }
  const goalsFor = (shares: Shares) => shares.map((own, i) => goalOf(endpoints, own, i));
  const labels = sites.map(({ label }) => label);
  const sharesAt = (shares: RepairShares): Shares => {
    const own = labels.map((label) => (typeof shares === "function" ? shares(label) : shares));
    for (const each of typeof shares === "function" ? own : [shares]) assertShares(each, networks);
    return own;
  };
  if (resolved.closedForm) {
    const joint = await measureJoint({ graph, engine, networks }, data, { sites, pass });
    return {
      sites: labels,
      async repair(weights, shares) {
        const own = sharesAt(shares);
        const goals = goalsFor(own);
        const repaired = extendWeights(plan, weights);
        sites.forEach((site, i) => {
          correctSite(
            site,
            { goal: goals[i], statistics: expectStatistics(joint, own[i] ?? [], i) },
            repaired,
          );
        });
        return foldCorrections(plan, repaired);
      },
    };
  }
  return {
    sites: labels,
    async repair(weights, shares) {
      const goals = new Map(goalsFor(sharesAt(shares)).map((goal, i) => [sites[i], goal]));
      const repaired = extendWeights(plan, weights);
      const measurement = {
        attempt: "repair",
        sites,
        correct: (site: RepairSite, statistics: UnitStatistics, own: Map<string, Tensor>) =>
          correctSite(site, { goal: goals.get(site), statistics }, own),
      };
      await measureInOrder({ graph: plan.extended, engine, weights: repaired }, data, measurement, resolved);
      return foldCorrections(plan, repaired);
    },
  };
}

/** Shares of the networks, by site. */
type Shares = readonly (readonly number[])[];

function assertShares(shares: readonly number[], networks: readonly unknown[]): void {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.length === networks.length && Math.abs(sum - 1) < 1e-9) return;
  throw new RangeError(
    `Cannot repair a combination of ${networks.length} networks as it must have a share of each, of sum 1: got ${shares.join(", ")}`,
  );
}

function goalOf(
  endpoints: readonly (readonly UnitStatistics[])[],
  shares: readonly number[],
  site: number,
): Goal {
  const own = endpoints.map((statistics) => statistics[site]);
  const means = own.map((statistics) => statistics?.mean ?? new Float64Array());
  const deviations = own.map((statistics) => (statistics?.variance ?? new Float64Array()).map(Math.sqrt));
  // Shares below 0, of an extrapolation, must not make a deviation negative.
  return { mean: mix(means, shares), deviation: mix(deviations, shares).map((value) => Math.max(0, value)) };
}
