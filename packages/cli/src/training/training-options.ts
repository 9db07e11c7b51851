import { UsageError } from "@isthmus/core";
import type { DataSet, Graph, NamedLoss } from "@isthmus/graph";
import {
  type BaseOptimizerSpec,
  chooseTrainOptions,
  type EpochSizes,
  LEARNING_RATES,
  type OptimizerSpec,
  type OutputLoss,
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
  /** Seed of all random choices: first weights, order and changes of examples. @defaultValue 0 */
  readonly seed: number;
  /** Number of times that each example is seen. */
  readonly epochs: number;
  /** Number of examples in a step. @defaultValue 128, or all if there are fewer, or the batch of the graph */
  readonly batch?: number | undefined;
  /**
   * True to leave out examples at the end of an epoch that fill no batch.
   * @defaultValue the next epoch begins with them
   */
  readonly dropLast?: true | undefined;
  /** Loss that is minimised. @defaultValue the loss that follows from the labels and the output */
  readonly loss?: NamedLoss | undefined;
  /** Share of the target that is spread over all classes, for losses of classes. @defaultValue 0 */
  readonly labelSmoothing?: number | undefined;
  /** Rule that makes a step from a gradient. @defaultValue "sgd" */
  readonly optimizer: (typeof OPTIMIZER_NAMES)[number];
  /** Learning rate, the largest of the schedule. @defaultValue 0.05 for sgd, else 0.001 */
  readonly lr?: number | undefined;
  /** Momentum of sgd; refused for other optimisers. @defaultValue 0.9 */
  readonly momentum?: number | undefined;
  /** True to use Nesterov's momentum in sgd; refused for other optimisers. @defaultValue plain momentum */
  readonly nesterov?: true | undefined;
  /** Weight decay, which shrinks weights in every step. @defaultValue 0, or 0.01 for adamw */
  readonly weightDecay?: number | undefined;
  /** Largest norm of a gradient; larger gradients are scaled down to it. @defaultValue not limited */
  readonly clip?: number | undefined;
  /**
   * Radius rho of sharpness-aware minimisation, which takes two gradients a step; true for its default, 0.05.
   * @defaultValue one gradient a step
   */
  readonly sam?: number | true | undefined;
  /** Change of the learning rate over the training. @defaultValue "cosine" */
  readonly schedule: (typeof SCHEDULE_NAMES)[number];
  /** Number of steps over which the learning rate rises at first. @defaultValue 0 */
  readonly warmup: number;
  /** Number of epochs after which the rate falls; required by the schedule `step`, and absent for others. */
  readonly stepEvery?: number | undefined;
  /** Factor by which the rate falls, for the schedule `step` alone. @defaultValue 0.1 */
  readonly stepFactor?: number | undefined;
  /**
   * Number of pixels by which images are padded before they are cropped at random to their size.
   * @defaultValue 0
   */
  readonly crop?: number | undefined;
  /** True to mirror every other image, left to right. @defaultValue no image is mirrored */
  readonly flip?: true | undefined;
  /** Patterns of parameters that training does not change. @defaultValue none */
  readonly freeze?: readonly string[] | undefined;
  /** Number of threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads: number;
  /**
   * Number of steps after which the state is written, too; 0 to write it after epochs only.
   * @defaultValue 0
   */
  readonly saveEvery: number;
};

/** Options for a step of training, without the number of steps and their rates. */
export type StepFlags = Omit<TrainingFlags, "epochs" | "schedule" | "warmup" | "stepEvery" | "stepFactor">;

/** Options of `train`, with the settings on which its number of steps depends. */
export type FlaggedTraining = TrainOptions &
  Pick<EpochSizes, "batch" | "remainder"> & {
    /** Number of times that each example is seen. */
    readonly epochs: number;
  };

/** Graph and data of a training. */
interface TrainedNetwork {
  /** Graph of the network. */
  readonly graph: Graph;
  /** Examples to train on. */
  readonly data: DataSet;
  /** Loss that the graph computes itself. @defaultValue the one that the command line names */
  readonly loss?: OutputLoss | undefined;
}

/**
 * Returns the options of `train` that the command line asks for.
 * @throws UsageError if flags contradict each other, or the graph takes batches of another size only
 * @throws InputError if the data do not fit the graph
 */
export function trainingOptions(
  flags: TrainingFlags,
  { graph, data, loss: lossOfGraph }: TrainedNetwork,
): FlaggedTraining {
  assertFlags(flags);
  const { seed, epochs, threads, saveEvery, freeze, crop, flip } = flags;
  const chosen = { batch: flags.batch, loss: lossOfGraph ?? lossOf(flags) };
  const { batch, loss } = chooseTrainOptions({ graph, data }, chosen);
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
