import { convertData, resolveOptions, type Tensor, toFloat64 } from "@isthmus/core";
import {
  activationStatistics,
  type DataSet,
  type Engine,
  type Graph,
  pairStatistics,
  type UnitStatistics,
} from "@isthmus/graph";
import { MEASURE_IN_ORDER_DEFAULTS, type MeasureInOrderOptions, measureInOrder } from "./measure-in-order.ts";
import {
  goalView,
  type LinearSite,
  type NormSite,
  planRepair,
  type RepairPlan,
  type RepairSite,
} from "./repair-sites.ts";

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

/** Corrects any combination of some networks; made by {@link createRepairer}. */
export interface Repairer {
  /** Layers and norms that are corrected, by a weight of each. */
  readonly sites: readonly string[];
  /**
   * Corrects a combination of the networks.
   * @param weights - of the combination, a tensor for every weight of the graph
   * @param shares - of each network in it, of sum 1
   * @returns all of `weights`; weights and biases of layers, and all that belongs to norms, replaced
   */
  repair(weights: ReadonlyMap<string, Tensor>, shares: readonly number[]): Promise<Map<string, Tensor>>;
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
 * `sum of w_i w_j cov(i, j)` (section 5), which holds exactly where the inputs of a layer are averages themselves.
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
  const goalsFor = (shares: readonly number[]) => sites.map((_, i) => goalOf(endpoints, shares, i));
  const labels = sites.map(({ label }) => label);
  if (resolved.closedForm) {
    const joint = await measureJoint({ graph, engine, networks }, data, { sites, pass });
    return {
      sites: labels,
      async repair(weights, shares) {
        assertShares(shares, networks);
        const goals = goalsFor(shares);
        const repaired = extendWeights(plan, weights);
        sites.forEach((site, i) => {
          correct(site, { goal: goals[i], statistics: expect(joint, shares, i) }, repaired);
        });
        return fold(plan, repaired);
      },
    };
  }
  return {
    sites: labels,
    async repair(weights, shares) {
      assertShares(shares, networks);
      const goals = new Map(goalsFor(shares).map((goal, i) => [sites[i], goal]));
      const repaired = extendWeights(plan, weights);
      const measurement = {
        attempt: "repair",
        sites,
        correct: (site: RepairSite, statistics: UnitStatistics, own: Map<string, Tensor>) =>
          correct(site, { goal: goals.get(site), statistics }, own),
      };
      await measureInOrder({ graph: plan.extended, engine, weights: repaired }, data, measurement, resolved);
      return fold(plan, repaired);
    },
  };
}

/** Networks of one architecture. */
export interface RepairNetworks {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly networks: readonly ReadonlyMap<string, Tensor>[];
}

/** Mean and standard deviation that a site should have, `[units]` each. */
interface Goal {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

function assertShares(shares: readonly number[], networks: readonly unknown[]): void {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.length === networks.length && Math.abs(sum - 1) < 1e-9) return;
  throw new RangeError(
    `Cannot repair a combination of ${networks.length} networks as it must have a share of each, of sum 1: got ${shares.join(", ")}`,
  );
}

/** `sum of w_i x_i` of a site over the networks. */
function mix(parts: readonly Float64Array[], shares: readonly number[]): Float64Array {
  return Float64Array.from(parts[0] ?? [], (_, unit) =>
    parts.reduce((sum, part, network) => sum + (shares[network] ?? 0) * (part[unit] ?? 0), 0),
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

/** Means, and covariances of all pairs of networks, of what is corrected at each site. */
interface Joint {
  readonly means: readonly (readonly Float64Array[])[];
  /** By network and network, then by site. */
  readonly covariances: readonly (readonly (readonly Float64Array[])[])[];
}

async function measureJoint(
  { graph, engine, networks }: RepairNetworks,
  data: DataSet,
  {
    sites,
    pass,
  }: {
    readonly sites: readonly RepairSite[];
    readonly pass: Pick<RepairOptions, "batchSize" | "threads" | "signal">;
  },
): Promise<Joint> {
  // In the graph as it is, layers have no value before gain and shift.
  const views = sites.map((site) => ({
    value: site.kind === "linear" ? site.output : site.value,
    axes: [site.axis],
  }));
  const count = networks.length;
  const means: (readonly Float64Array[])[] = new Array(count);
  const covariances: (readonly Float64Array[])[][] = networks.map(() => new Array(count));
  const store = (i: number, j: number, own: readonly Float64Array[]) => {
    covariances[i]?.splice(j, 1, own);
    covariances[j]?.splice(i, 1, own);
  };
  for (const [i, j] of pairsOf(count)) {
    const [a, b] = [networks[i] ?? new Map(), networks[j] ?? new Map()];
    const found = await pairStatistics({ graph, engine, a, b }, data, views, { ...pass, pairs: "equal" });
    store(
      i,
      i,
      found.map((pair) => pair.a.variance),
    );
    store(
      j,
      j,
      found.map((pair) => pair.b.variance),
    );
    if (i !== j)
      store(
        i,
        j,
        found.map(({ covariance }) => covariance),
      );
    means[i] = found.map((pair) => pair.a.mean);
    means[j] = found.map((pair) => pair.b.mean);
  }
  return { means, covariances };
}

/** All pairs of different networks; a single one with itself. */
function pairsOf(count: number): (readonly [number, number])[] {
  if (count === 1) return [[0, 0]];
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: count - i - 1 }, (_, k) => [i, i + k + 1] as const),
  ).flat();
}

/** Mean and variance that a site of the combination has if everything before it is the average, too. */
function expect(
  { means, covariances }: Joint,
  shares: readonly number[],
  site: number,
): Pick<UnitStatistics, "mean" | "variance"> {
  const mean = mix(
    means.map((own) => own[site] ?? new Float64Array()),
    shares,
  );
  const variance = mean.map((_, unit) => {
    let sum = 0;
    covariances.forEach((row, i) => {
      row.forEach((own, j) => {
        sum += (shares[i] ?? 0) * (shares[j] ?? 0) * (own[site]?.[unit] ?? 0);
      });
    });
    return Math.max(0, sum);
  });
  return { mean, variance };
}

/** Deviation, relative to mean and goal, up to which a unit counts as constant: rounding of f32 makes as much. */
const CONSTANT = 1e-6;

interface Correction {
  readonly goal: Goal | undefined;
  readonly statistics: Pick<UnitStatistics, "mean" | "variance">;
}

/** Makes a site reach its goal: by gain and shift of a layer, or by everything that belongs to a norm. */
function correct(site: RepairSite, { goal, statistics }: Correction, weights: Map<string, Tensor>): void {
  if (goal === undefined) return;
  const { mean, variance } = statistics;
  const gain = variance.map((value, unit) => {
    const deviation = Math.sqrt(value);
    const wanted = goal.deviation[unit] ?? 0;
    const least = CONSTANT * Math.max(Math.abs(mean[unit] ?? 0), wanted);
    return deviation > least ? wanted / deviation : Number.NaN;
  });
  if (site.kind === "linear") correctLayer(site, { goal, mean, gain }, weights);
  else correctNorm(site, { goal, mean, variance, gain }, weights);
}

function correctLayer(
  { gain: name, shift, shape, bias }: LinearSite,
  { goal, mean, gain }: { readonly goal: Goal; readonly mean: Float64Array; readonly gain: Float64Array },
  weights: Map<string, Tensor>,
): void {
  const factors = gain.map((value) => (Number.isNaN(value) ? 1 : value));
  const shifts = factors.map((factor, unit) =>
    bias === undefined ? 0 : (goal.mean[unit] ?? 0) - factor * (mean[unit] ?? 0),
  );
  weights.set(name, { dtype: "f32", shape, data: Float32Array.from(factors) });
  weights.set(shift, { dtype: "f32", shape, data: Float32Array.from(shifts) });
}

function correctNorm(
  site: NormSite,
  {
    goal,
    mean,
    variance,
    gain,
  }: Correction["statistics"] & { readonly goal: Goal; readonly gain: Float64Array },
  weights: Map<string, Tensor>,
): void {
  const old = weights.get(site.scale);
  const before = old === undefined ? undefined : toFloat64(old.data, old.dtype);
  const scales = gain.map((factor, unit) => {
    const own = before?.[unit] ?? 0;
    const deviation = Math.sqrt((variance[unit] ?? 0) + site.epsilon);
    return Number.isNaN(factor) ? own : (own < 0 ? -1 : 1) * factor * deviation;
  });
  replace(weights, site.mean, mean);
  replace(weights, site.variance, variance);
  replace(weights, site.scale, scales);
  replace(weights, site.bias, goal.mean);
}

/** Replaces the elements of a weight, if there is one of that name, in its own element type. */
function replace(weights: Map<string, Tensor>, name: string, values: Float64Array): void {
  const old = weights.get(name);
  if (old === undefined) return;
  weights.set(name, { ...old, data: convertData(values, "f64", old.dtype) });
}

/** Weights of the extended graph: those of the graph, and gains and shifts that change nothing yet. */
function extendWeights({ sites }: RepairPlan, weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const extended = new Map(weights);
  for (const site of sites) {
    if (site.kind !== "linear") continue;
    const units = site.shape[0] ?? 0;
    extended.set(site.gain, { dtype: "f32", shape: site.shape, data: new Float32Array(units).fill(1) });
    extended.set(site.shift, { dtype: "f32", shape: site.shape, data: new Float32Array(units) });
  }
  return extended;
}

/** Takes gains and shifts into the layers they belong to. */
function fold({ sites }: RepairPlan, extended: Map<string, Tensor>): Map<string, Tensor> {
  const weights = new Map(extended);
  for (const site of sites) {
    if (site.kind !== "linear") continue;
    const gain = weights.get(site.gain)?.data as Float32Array;
    const shift = weights.get(site.shift)?.data as Float32Array;
    weights.delete(site.gain);
    weights.delete(site.shift);
    scaleWeight(weights, site, gain);
    const bias = weights.get(site.bias ?? "");
    if (bias === undefined) continue;
    const values = toFloat64(bias.data, bias.dtype);
    replace(
      weights,
      site.bias ?? "",
      values.map((value, unit) => value * (gain[unit] ?? 1) + (shift[unit] ?? 0)),
    );
  }
  return weights;
}

function scaleWeight(
  weights: Map<string, Tensor>,
  { weight, weightAxis }: LinearSite,
  gain: Float32Array,
): void {
  const tensor = weights.get(weight);
  if (tensor === undefined) return;
  const inner = tensor.shape.slice(weightAxis + 1).reduce((product, extent) => product * extent, 1);
  const values = toFloat64(tensor.data, tensor.dtype);
  for (let i = 0; i < values.length; i++) {
    values[i] = (values[i] ?? 0) * (gain[Math.floor(i / inner) % gain.length] ?? 1);
  }
  replace(weights, weight, values);
}
