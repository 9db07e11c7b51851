import { UsageError } from "@isthmus/core";
import type { DataSet, Graph, NamedLoss } from "@isthmus/graph";
import {
  type BaseOptimizerSpec,
  chooseTrainOptions,
  type EpochSizes,
  LEARNING_RATES,
  type OptimizerSpec,
  type Remainder,
  type ScheduleSpec,
  stepsUntil,
  TRAIN_DEFAULTS,
  type TrainOptions,
} from "@isthmus/training";

/** Names that `--optimizer` takes. */
export const OPTIMIZER_NAMES = ["sgd", "adam", "adamw"] as const;
/** Names that `--schedule` takes. */
export const SCHEDULE_NAMES = ["constant", "cosine", "one-cycle", "step"] as const;

/** Default of `--momentum`. */
export const MOMENTUM = 0.9;

/** Options of the command line for a training. */
export type TrainingFlags = {
  readonly seed: number;
  readonly epochs: number;
  readonly batch?: number | undefined;
  readonly dropLast?: true | undefined;
  readonly loss?: NamedLoss | undefined;
  readonly labelSmoothing?: number | undefined;
  readonly optimizer: (typeof OPTIMIZER_NAMES)[number];
  readonly lr?: number | undefined;
  readonly momentum?: number | undefined;
  readonly nesterov?: true | undefined;
  readonly weightDecay?: number | undefined;
  readonly clip?: number | undefined;
  readonly sam?: number | true | undefined;
  readonly schedule: (typeof SCHEDULE_NAMES)[number];
  readonly warmup: number;
  readonly stepEvery?: number | undefined;
  readonly stepFactor?: number | undefined;
  readonly crop?: number | undefined;
  readonly flip?: true | undefined;
  readonly freeze?: readonly string[] | undefined;
  readonly threads: number;
  readonly saveEvery: number;
};

/** Options for a step of training, without the number of steps and their rates. */
export type StepFlags = Omit<TrainingFlags, "epochs" | "schedule" | "warmup" | "stepEvery" | "stepFactor">;

/** Options of `train`, with the settings on which its number of steps depends. */
export type FlaggedTraining = TrainOptions &
  Pick<EpochSizes, "batch" | "remainder"> & { readonly epochs: number };

/**
 * Returns the options of `train` that the command line asks for.
 * @throws UsageError if flags contradict each other, or the graph takes batches of another size only
 * @throws InputError if the data do not fit the graph
 */
export function trainingOptions(
  flags: TrainingFlags,
  { graph, data }: { readonly graph: Graph; readonly data: DataSet },
): FlaggedTraining {
  assertFlags(flags);
  const { seed, epochs, threads, saveEvery, freeze, crop, flip } = flags;
  const { batch, loss } = chooseTrainOptions({ graph, data }, { batch: flags.batch, loss: lossOf(flags) });
  const remainder: Remainder = flags.dropLast ? "drop" : TRAIN_DEFAULTS.remainder;
  const epochSteps = (count: number) => stepsUntil(count, { examples: data.size, batch, remainder });
  return {
    seed,
    epochs,
    batch,
    remainder,
    loss,
    optimizer: optimizerOf(flags),
    schedule: scheduleOf(flags, epochSteps),
    augment: { crop: crop ?? 0, flip: flip ?? false },
    freeze: freeze ?? TRAIN_DEFAULTS.freeze,
    threads,
    saveEvery,
  };
}

/** Returns the number of steps of a whole training. */
export function stepsOfTraining(
  { epochs, batch, remainder }: FlaggedTraining,
  { size }: Pick<DataSet, "size">,
): number {
  return stepsUntil(epochs, { examples: size, batch, remainder });
}

function assertFlags({
  optimizer,
  momentum,
  nesterov,
  schedule,
  stepEvery,
  stepFactor,
}: TrainingFlags): void {
  if (optimizer !== "sgd" && (momentum !== undefined || nesterov)) {
    throw new UsageError(
      `Cannot train as ${nesterov ? "--nesterov" : "--momentum"} belongs to sgd: the optimizer is ${optimizer}`,
    );
  }
  if (schedule === "step" ? stepEvery !== undefined : stepEvery === undefined && stepFactor === undefined)
    return;
  throw new UsageError(
    schedule === "step"
      ? "Cannot train as --schedule step needs the epochs after which the rate falls: give --step-every EPOCHS"
      : `Cannot train as --step-every and --step-factor belong to --schedule step: it is ${schedule}`,
  );
}

function lossOf({ loss, labelSmoothing }: TrainingFlags): TrainOptions["loss"] {
  if (labelSmoothing === undefined) return loss;
  if (loss === undefined) return { labelSmoothing };
  if (loss === "cross-entropy" || loss === "next-token") return { kind: loss, labelSmoothing };
  if (loss === "masked-token") return { kind: "cross-entropy", labelSmoothing };
  const what = typeof loss === "string" ? loss : "one for each of several outputs";
  throw new UsageError(`Cannot train as --label-smoothing belongs to losses of classes: the loss is ${what}`);
}

function optimizerOf(flags: TrainingFlags): OptimizerSpec {
  const { optimizer: kind, weightDecay, clip, sam } = flags;
  const shared = {
    ...(weightDecay === undefined ? {} : { weightDecay }),
    ...(clip === undefined ? {} : { clipNorm: clip }),
  };
  const base: BaseOptimizerSpec =
    kind === "sgd"
      ? { kind, momentum: flags.momentum ?? MOMENTUM, nesterov: flags.nesterov ?? false, ...shared }
      : { kind, ...shared };
  if (sam === undefined) return base;
  return { kind: "sam", base, ...(sam === true ? {} : { rho: sam }) };
}

function scheduleOf(
  { schedule: kind, optimizer, lr, warmup, stepEvery, stepFactor }: TrainingFlags,
  epochSteps: (epochs: number) => number,
): ScheduleSpec {
  const shared = { learningRate: lr ?? LEARNING_RATES[optimizer], warmupSteps: warmup };
  if (kind !== "step") return { kind, ...shared };
  const factor = stepFactor === undefined ? {} : { factor: stepFactor };
  return { kind, ...shared, every: epochSteps(stepEvery ?? 1), ...factor };
}
