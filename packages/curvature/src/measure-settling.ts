import {
  assertWholeOptions,
  at,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  entry,
  type FieldsOf,
  listField,
  meanOf,
  numberField,
  OutOfRangeError,
  resolveFields,
  sumOf,
  triesField,
} from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, limitExamples } from "@isthmus/graph";
import { measureExampleLosses } from "@isthmus/training";
import {
  HESSIAN_POINT_FIELDS,
  type HessianPoint,
  type HessianPointChoice,
  type HessianPointOptions,
  hessianPoint,
} from "./hessian-point.ts";
import { addTensorsInPlace, layoutParameters, splitVector } from "./operators/layout.ts";
import { CURVATURE_OPERATOR_DEFAULTS } from "./operators/operator-options.ts";
import { standardErrorOf } from "./sample-statistics.ts";

/** Options of {@link measureSettling} that are not about the loss itself. */
export interface SettlingChoice extends HessianPointChoice {
  /**
   * Numbers of examples, rising, each smaller than the number of all examples.
   * @defaultValue the powers of 2 from 16 on that are smaller
   */
  readonly sizes?: readonly number[] | undefined;
  /** Places around the network at which losses are measured, at least 2. @defaultValue 20 */
  readonly samples?: number;
  /** Standard deviation of every parameter over the places. @defaultValue 0.01 */
  readonly deviation?: number;
}

/** Fields of {@link SettlingChoice}. */
export const SETTLING_FIELDS: FieldsOf<SettlingChoice> = {
  sizes: listField<number>(
    { type: "whole", least: 1, most: Number.MAX_SAFE_INTEGER },
    {
      help: "numbers of examples, rising, such as 50,100,200 (default: powers of 2 from 16)",
    },
  ),
  samples: triesField({
    rare: true,
    least: 2,
    default: 20,
    help: "places around the network at which losses are measured",
  }),
  deviation: numberField({
    rare: true,
    above: 0,
    default: 0.01,
    help: "standard deviation of every parameter among these places",
  }),
  ...HESSIAN_POINT_FIELDS,
};

/** Options of {@link measureSettling}. */
export interface MeasureSettlingOptions extends SettlingChoice, HessianPointOptions {
  /** Called with the share of the work that is done. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

const RUN_DEFAULTS: Required<Omit<MeasureSettlingOptions, keyof SettlingChoice>> = {
  ...CURVATURE_OPERATOR_DEFAULTS,
  seed: 0,
  onProgress: undefined,
};

/** Measures of the loss as the mean over a number of examples. */
export interface SettlingPoint extends HessianPoint {
  /** Number of examples, the first ones for the Hessian, some at random for the change. */
  readonly size: number;
  /** Mean absolute change of the mean loss near the network by one more example. */
  readonly change: number;
  /** Standard error of the change, over places. */
  readonly changeError: number;
}

/** Settling of a loss and its Hessian as the number of examples grows. */
export interface SettlingResult {
  /** Kind of the result. */
  readonly kind: "settling";
  /** Measures for each number of examples, by rising number. */
  readonly points: readonly SettlingPoint[];
  /**
   * Exponent of the power law by which changes fall with the number of examples, the slope on logarithmic
   * axes: near -1. Absent if there is one size only, or if the loss does not change.
   */
  readonly exponent?: number;
  /** Number of random places near the network at which changes are averaged. */
  readonly samples: number;
  /** Standard deviation of every parameter among these places. */
  readonly deviation: number;
  /** Number of all examples to measure on; every entry of `points` takes fewer. */
  readonly examples: number;
  /** Seed of the places, of the order in which examples are added, and of random vectors. */
  readonly seed: number;
}

const ATTEMPT = "measure how a loss settles";

/** Smallest of the default numbers of examples. */
const LEAST_SIZE = 16;

/**
 * Measures how the loss around a network settles as it becomes the mean over more examples: by how much one
 * more example changes it at random places nearby, and the largest eigenvalue and the trace of its Hessian.
 * The change is averaged over all examples that could come next.
 *
 * None of these measures is invariant to scalings of layers, as the same noise is larger for smaller weights.
 * @throws OutOfRangeError if an option is out of range
 * @throws InputError if the data do not fit the graph or the loss, or a product is not finite
 * @throws UnsupportedError if an operator has no gradient rule
 * @see Kiselev and Grabovoy, Unraveling the Hessian: a key to smooth convergence in loss function landscapes,
 *   2024
 */
export async function measureSettling(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: MeasureSettlingOptions = {},
): Promise<SettlingResult> {
  const resolved = resolveFields(ATTEMPT, SETTLING_FIELDS, options, RUN_DEFAULTS);
  const examples = resolved.examples === 0 ? data.size : Math.min(resolved.examples, data.size);
  const sizes = resolved.sizes ?? powersBelow(examples);
  assertOptions(resolved, sizes, examples);
  const { samples, deviation, seed, onProgress } = resolved;
  const pool = limitExamples(ATTEMPT, data, examples);
  const all = sumOf(sizes);
  const ofSample = await measureChanges(architecture, network, pool, { options: resolved, sizes });
  const points: SettlingPoint[] = [];
  let done = 0;
  for (const [i, size] of sizes.entries()) {
    const changes = ofSample.map((values) => at(values, i, "change"));
    const point = await hessianPoint(architecture, network, pool, {
      ...hessianOptions(resolved),
      examples: size,
    });
    points.push({ size, change: meanOf(changes), changeError: standardErrorOf(changes), ...point });
    done += size;
    onProgress?.(done / all);
  }
  const exponent = exponentOf(points);
  return {
    kind: "settling",
    points,
    ...(Number.isFinite(exponent) && { exponent }),
    samples,
    deviation,
    examples,
    seed,
  };
}

function hessianOptions(options: Required<MeasureSettlingOptions>): Required<HessianPointOptions> {
  const { parameters, loss, examples, batchSize, signal, steps, traceProducts, seed } = options;
  return { parameters, loss, examples, batchSize, signal, steps, traceProducts, seed };
}

function powersBelow(examples: number): number[] {
  const count = Math.max(0, Math.ceil(Math.log2(examples / LEAST_SIZE)));
  return Array.from({ length: count }, (_, i) => LEAST_SIZE * 2 ** i);
}

function assertOptions(
  options: Required<MeasureSettlingOptions>,
  sizes: readonly number[],
  examples: number,
): void {
  assertWholeOptions(ATTEMPT, options, { seed: 0, examples: 0, batchSize: 1 });
  const rises = sizes.every((size, i) => i === 0 || size > at(sizes, i - 1, "size"));
  if (sizes.length > 0 && rises && at(sizes, sizes.length - 1, "size") < examples) return;
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} as "sizes" must be whole numbers that rise and are fewer than the ${examples} examples: they are [${sizes.join(", ")}]; choose others, or take more examples`,
  );
}

/** Measures the changes by one more example at every place, by size. */
async function measureChanges(
  { graph, engine }: Architecture,
  network: Checkpoint,
  pool: DataSet,
  {
    options,
    sizes,
  }: { readonly options: Required<MeasureSettlingOptions>; readonly sizes: readonly number[] },
): Promise<number[][]> {
  const { parameters, loss, batchSize: batch, signal, samples, deviation, seed } = options;
  const { layout, dimension } = layoutParameters(ATTEMPT, graph, parameters);
  const weights = await bindWeights(graph, network);
  const tensors = layout.map(({ name }) => entry(weights, name, "weight"));
  const changes: number[][] = [];
  for (let sample = 0; sample < samples; sample++) {
    const random = createRandom(seed, `${ATTEMPT} place ${sample}`);
    const place = new Float64Array(dimension);
    for (let i = 0; i < dimension; i++) place[i] = deviation * random.normal();
    addTensorsInPlace(place, layout, [{ factor: 1, tensors }]);
    const moved = new Map([...weights, ...splitVector(layout, place, weights)]);
    const near = createCheckpoint(moved, {}, network.source);
    const losses = await measureExampleLosses({ graph, engine }, near, pool, { loss, batch, signal });
    changes.push(changesAt(random.shuffleInPlace(losses), sizes));
  }
  return changes;
}

/** Computes by how much one more loss changes the mean of the first ones, averaged over all other losses. */
function changesAt(losses: Float64Array, sizes: readonly number[]): number[] {
  return sizes.map((size) => {
    const center = sumOf(losses.subarray(0, size)) / size;
    const apart = losses.subarray(size).reduce((sum, x) => sum + Math.abs(x - center), 0);
    return apart / (losses.length - size) / (size + 1);
  });
}

/** Fits the slope of logarithms of changes over sizes, by least squares; NaN if there is no slope. */
function exponentOf(points: readonly SettlingPoint[]): number {
  const x = points.map(({ size }) => Math.log(size));
  const y = points.map(({ change }) => Math.log(change));
  const [centerX, centerY] = [meanOf(x), meanOf(y)];
  const together = x.reduce((sum, value, i) => sum + (value - centerX) * (at(y, i, "change") - centerY), 0);
  return together / x.reduce((sum, value) => sum + (value - centerX) ** 2, 0);
}
