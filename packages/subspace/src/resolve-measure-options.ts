import {
  assertWholeOptions,
  entry,
  matchesAny,
  OutOfRangeError,
  resolveFields,
  sizeOf,
  UnsupportedError,
  UsageError,
} from "@isthmus/core";
import { type DataSet, type Graph, parameterNames } from "@isthmus/graph";
import { chooseTrainOptions, type ScheduleSpec, TRAIN_DEFAULTS } from "@isthmus/training";
import { groupParameters } from "./create-subspace.ts";
import {
  DIMENSION_SEARCH_FIELDS,
  type DimensionSearchChoice,
  type MeasureIntrinsicDimensionOptions,
} from "./measure-options.ts";

/**
 * Learning rate of Adam in subspaces: columns have length 1, so that it is the distance that a coordinate
 * moves in a step.
 */
export const SUBSPACE_LEARNING_RATE = 0.1;

/** Options whose defaults depend on the network, its data, or the optimiser. */
type Chosen = "loss" | "batch" | Schedules;

/**
 * Defaults of the options of {@link MeasureIntrinsicDimensionOptions} that have no field and whose defaults
 * are fixed.
 */
export const MEASURE_INTRINSIC_DIMENSION_DEFAULTS: Required<
  Omit<MeasureIntrinsicDimensionOptions, Chosen | keyof DimensionSearchChoice>
> = {
  seeds: [0, 1, 2],
  epochs: TRAIN_DEFAULTS.epochs,
  remainder: TRAIN_DEFAULTS.remainder,
  optimizer: { kind: "adam" },
  augment: TRAIN_DEFAULTS.augment,
  freeze: TRAIN_DEFAULTS.freeze,
  threads: TRAIN_DEFAULTS.threads,
  saveEvery: TRAIN_DEFAULTS.saveEvery,
  journalPath: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Options with all defaults filled in. */
export type ResolvedMeasureOptions = Required<
  Omit<MeasureIntrinsicDimensionOptions, "loss" | Ends | Schedules>
> &
  Readonly<Record<Ends, number>> &
  Readonly<Record<Schedules, ScheduleSpec>> &
  Pick<ReturnType<typeof chooseTrainOptions>, "loss"> & {
    /** Number of examples in one step. */
    readonly batch: number;
    /** Number of trained parameters, which is the largest possible dimension. */
    readonly parameters: number;
  };

/** Dimensions whose defaults depend on the network. */
type Ends = "first" | "least" | "most";
/** Schedules whose defaults depend on the optimizer. */
type Schedules = "schedule" | "baselineSchedule";

const ATTEMPT = "measure an intrinsic dimension";

/**
 * Fills in the defaults of options, for a graph and its data, and checks them.
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if a number is out of its range
 * @throws UnsupportedError if the loss has no accuracy
 */
export function resolveMeasureOptions(
  network: { readonly graph: Graph; readonly data: DataSet },
  { loss, batch, schedule, baselineSchedule, ...options }: MeasureIntrinsicDimensionOptions,
): ResolvedMeasureOptions {
  const resolved = resolveFields(
    ATTEMPT,
    DIMENSION_SEARCH_FIELDS,
    options,
    MEASURE_INTRINSIC_DIMENSION_DEFAULTS,
  );
  const { optimizer, freeze, scope, first, least, most } = resolved;
  const usual = chooseTrainOptions(network, { loss, batch, optimizer });
  assertAccuracy(network.graph, usual.loss.kind);
  if (optimizer.kind === "sam") {
    throw new UsageError(
      `Cannot ${ATTEMPT} with optimizer "sam" as steps in subspaces have one gradient: choose sgd, adam or adamw`,
    );
  }
  const names = parameterNames(network.graph).filter((name) => !matchesAny(freeze, name));
  const parameters = countNumbers(network.graph, names);
  const smallest = groupParameters(names, scope).length;
  const complete = {
    ...resolved,
    loss: usual.loss,
    batch: usual.batch,
    parameters,
    schedule: schedule ?? subspaceSchedule(usual.schedule),
    baselineSchedule: baselineSchedule ?? usual.schedule,
    first: first ?? Math.round(Math.sqrt(parameters)),
    least: least ?? smallest,
    most: most ?? parameters,
  };
  assertRanges(complete, first);
  assertWholeOptions(ATTEMPT, complete, { epochs: 1 });
  assertLeast(complete, smallest);
  return complete;
}

function subspaceSchedule(usual: ScheduleSpec): ScheduleSpec {
  return { ...usual, learningRate: SUBSPACE_LEARNING_RATE };
}

function assertAccuracy({ name }: Graph, kind: string): void {
  if (kind === "cross-entropy" || kind === "next-token") return;
  throw new UnsupportedError(
    `Cannot ${ATTEMPT} of graph "${name}" as the dimension is the smallest that reaches a share of an accuracy, and the loss "${kind}" has none: choose cross-entropy`,
    { feature: `accuracy of ${kind}` },
  );
}

/** Counts the elements of the named weights. */
function countNumbers({ weights }: Graph, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + sizeOf(entry(weights, name, "weight").shape), 0);
}

/** Checks that every matrix can have a coordinate. */
function assertLeast({ least, scope }: ResolvedMeasureOptions, smallest: number): void {
  if (least >= smallest) return;
  const layers = scope === "layer" ? `${smallest}, one for each layer` : "1";
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} as "least" must be a whole number of at least ${layers}: it is ${least}`,
  );
}

/**
 * Checks the ranges of numbers; the first dimension is checked only if it was set, as its default is derived
 * from the others.
 */
function assertRanges({ seeds, least, most, parameters }: ResolvedMeasureOptions, first = least): void {
  const rules: readonly (readonly [boolean, string])[] = [
    [parameters > 0, `at least one parameter must be trained: all are frozen`],
    [seeds.length > 0, `"seeds" must have at least one seed: it is empty`],
    [new Set(seeds).size === seeds.length, `"seeds" must differ: they are ${seeds.join(", ")}`],
    [most <= parameters, `"most" must be at most the ${parameters} trained parameters: it is ${most}`],
    [least <= most, `"least" must be at most the largest dimension, ${most}: it is ${least}`],
    [
      first >= least && first <= most,
      `"first" must be from the smallest dimension, ${least}, to the largest, ${most}: it is ${first}`,
    ],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken !== undefined) throw new OutOfRangeError(`Cannot ${ATTEMPT} as ${broken[1]}`);
}
