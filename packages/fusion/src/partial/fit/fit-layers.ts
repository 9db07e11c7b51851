import {
  asFloat32,
  at,
  type Checkpoint,
  createCheckpoint,
  entry,
  InvariantError,
  OutOfRangeError,
  resolveOptions,
  type Tensor,
  UsageError,
} from "@isthmus/core";
import { type DataSet, type Engine, limitExamples } from "@isthmus/graph";
import { createProducts, type MatrixProducts } from "@isthmus/linear-algebra";
import { activationStatistics, type UnitStatistics } from "@isthmus/statistics";
import type { WidePlan } from "../graph/wide-plan.ts";
import { SIDES } from "../layout/axis-plan.ts";
import { addBatch, type FittedLayer, type NormalEquations, solveLayer } from "./fit-layer.ts";
import { findFitSites, type LinearSite, type NormSite } from "./layer-sites.ts";
import { type RunOptions, readWeights, runValues } from "./run-values.ts";

/** Options of the least squares of {@link mergePartially}. */
export interface FitOptions {
  /**
   * Number of examples on which layers are fitted, from the first; for each task if there are two.
   * @defaultValue 500
   */
  readonly examples?: number;
  /**
   * Examples of the task of A and of the task of B, without labels. Merged units are then fitted to A alone
   * on the first and to B alone on the second, instead of the mean of both on all examples.
   * @defaultValue none
   */
  readonly tasks?: readonly [DataSet, DataSet] | undefined;
  /**
   * Penalty on a change of the weights, relative to the mean square of a layer's inputs over all examples.
   * Larger numbers keep weights closer to their values before the fit. @defaultValue 0.01
   */
  readonly ridge?: number;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Defaults of {@link FitOptions}. */
export const FIT_DEFAULTS: Required<Omit<FitOptions, "tasks">> & Pick<FitOptions, "tasks"> = {
  examples: 500,
  tasks: undefined,
  ridge: 0.01,
  batchSize: 100,
};

/** A wide network that is fitted, and the networks to which it is fitted. */
export interface FitTask {
  /** Plan of the wide network: its graph, and the source of each of its units. */
  readonly plan: WidePlan;
  /** A, and B in the coordinates of A. */
  readonly networks: readonly [Checkpoint, Checkpoint];
  /** Wide network before the fit. */
  readonly wide: Checkpoint;
  /** Examples for fitting to the mean of both; not needed for fitting to two tasks. */
  readonly data: DataSet | undefined;
  /** Signal that stops the fit between two batches. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of fitted layers and the number of all layers. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A fitted network. */
export interface FitResult {
  /** Fitted wide network, under the names of its graph. */
  readonly network: Checkpoint;
  /** Errors of the fitted layers before and after, in the order of computation. */
  readonly layers: readonly FittedLayer[];
}

/**
 * Fits each layer of a wide network, in the order of computation, so that from its inputs in the wide network
 * it computes the outputs of A's layer, of B's layer, or their mean, depending on whether a unit belongs to
 * A, to B or to both. Statistics of batch norms are measured again on the way.
 *
 * Differs from PLeaS, in which the inputs are the mean of A's and B's inputs: here they are the inputs of the
 * wide network, so that each layer corrects errors of the layers before it. The ridge shrinks the change of
 * the weights, not the weights, so that weights without evidence keep their values.
 * @see Nasery et al., PLeaS, 2025, equation 3
 */
export async function fitLayers(engine: Engine, task: FitTask, options: FitOptions = {}): Promise<FitResult> {
  const { ridge, examples, batchSize, tasks } = resolveOptions("fit layers", FIT_DEFAULTS, options);
  assertRidge(ridge);
  const { plan, networks, wide, signal } = task;
  const { graph } = plan.separable.probed;
  const sites = findFitSites(plan.separable.probed);
  const products = await createProducts(engine);
  const fitting: Fitting = {
    engine,
    plan,
    products,
    ridge,
    weights: await readWeights(plan.graph, wide),
    originals: [await readWeights(graph, networks[0]), await readWeights(graph, networks[1])],
    runs: targetsOf(task.data, tasks).map(({ data, shareOfA }) => ({
      batchSize,
      signal,
      shareOfA,
      data: limitExamples("fit layers", data, examples),
    })),
  };
  const layers: FittedLayer[] = [];
  try {
    for (const [i, site] of sites.entries()) {
      if (site.kind === "norm") await measureNorm(fitting, site);
      else layers.push(await fitLinear(fitting, site));
      task.onProgress?.(i + 1, sites.length);
    }
  } finally {
    await products.release();
  }
  return { network: createCheckpoint(fitting.weights, wide.metadata, wide.source), layers };
}

/** A wide network while its layers are fitted. */
interface Fitting {
  readonly engine: Engine;
  readonly plan: WidePlan;
  readonly products: MatrixProducts;
  readonly ridge: number;
  /** Weights of the wide network, which are replaced layer by layer. */
  readonly weights: Map<string, Tensor>;
  /** Weights of A, and of B in the coordinates of A. */
  readonly originals: readonly [ReadonlyMap<string, Tensor>, ReadonlyMap<string, Tensor>];
  readonly runs: readonly TargetRun[];
}

/** Examples, and the share of A in the target of merged units on them. */
interface TargetRun extends RunOptions {
  readonly shareOfA: number;
}

/**
 * Returns the targets of merged units: the mean of A and B on all examples, or each network on the examples
 * of its task.
 */
function targetsOf(
  data: DataSet | undefined,
  tasks: FitOptions["tasks"],
): Pick<TargetRun, "data" | "shareOfA">[] {
  if (tasks !== undefined) return tasks.map((ofTask, i) => ({ data: ofTask, shareOfA: 1 - i }));
  if (data !== undefined) return [{ data, shareOfA: 0.5 }];
  throw new UsageError('Cannot fit layers as they need examples: add "data", or "tasks" of A and of B');
}

/** Fits one layer to the outputs of A's and B's layers; returns its error before and after. */
async function fitLinear(fitting: Fitting, site: LinearSite): Promise<FittedLayer> {
  const { engine, plan, products, weights, originals } = fitting;
  const { graph, types } = plan.separable.probed;
  const axis = site.window === undefined ? entry(types, site.output, "value").shape.length - 1 : 1;
  const places = plan.widening.values.get(site.output)?.get(axis);
  const networks = [
    { graph: plan.graph, weights, values: [site.input, site.output] },
    ...originals.map((original) => ({ graph, weights: original, values: [site.output] })),
  ];
  let equations: NormalEquations | undefined;
  for (const { shareOfA, ...run } of fitting.runs) {
    await runValues(engine, networks, run, async (values) => {
      const [wide, a, b] = [at(values, 0, "run"), at(values, 1, "run"), at(values, 2, "run")];
      const batch = {
        input: entry(wide, site.input, "value"),
        wide: entry(wide, site.output, "value"),
        a: entry(a, site.output, "value"),
        b: entry(b, site.output, "value"),
        shareOfA,
      };
      equations = await addBatch(site, places, batch, { equations, products });
    });
  }
  if (equations === undefined) throw new InvariantError("data sets have at least one example");
  return solveLayer(site, equations, weights, fitting);
}

/**
 * Measures the statistics of a batch norm from the outputs of the fitted layers before it. Units that are
 * kept apart keep the statistics of their network, because they are fitted to their outputs in that network.
 */
async function measureNorm({ engine, plan, weights, runs }: Fitting, site: NormSite): Promise<void> {
  const { graph } = plan;
  const views = [{ value: site.input, axes: [1] }];
  const network = createCheckpoint(weights);
  const measured: UnitStatistics[] = [];
  for (const { data, batchSize, signal } of runs) {
    const options = { views, batchSize, signal };
    measured.push(...(await activationStatistics({ graph, engine }, network, data, options)));
  }
  const side = plan.widening.values.get(site.input)?.get(1)?.side;
  const { mean, variance } = poolStatistics(measured);
  for (const [name, numbers] of [
    [site.mean, mean],
    [site.variance, variance],
  ] as const) {
    const before = entry(weights, name, "statistic");
    const data = Float32Array.from(asFloat32(before.data, before.dtype), (value, unit) =>
      (side?.[unit] ?? SIDES.both) === SIDES.both ? at(numbers, unit, "unit") : value,
    );
    weights.set(name, { ...before, data });
  }
}

/**
 * Computes the mean and variance over several sets of examples from the means and variances over each set.
 */
function poolStatistics(sets: readonly UnitStatistics[]): Pick<UnitStatistics, "mean" | "variance"> {
  const count = sets.reduce((sum, set) => sum + set.count, 0);
  const pool = (numbers: (set: UnitStatistics, unit: number) => number, unit: number) =>
    sets.reduce((sum, set) => sum + (set.count / count) * numbers(set, unit), 0);
  const units = Float64Array.from(at(sets, 0, "set").mean.keys());
  const mean = units.map((unit) => pool((set, i) => at(set.mean, i, "unit"), unit));
  const variance = units.map((unit) =>
    pool(
      (set, i) => at(set.variance, i, "unit") + (at(set.mean, i, "unit") - at(mean, i, "unit")) ** 2,
      unit,
    ),
  );
  return { mean, variance };
}

function assertRidge(ridge: number): void {
  if (ridge > 0 && Number.isFinite(ridge)) return;
  throw new OutOfRangeError(`Cannot fit layers as "ridge" must be a positive number: it is ${ridge}`);
}
