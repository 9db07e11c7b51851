import type { Tensor } from "@isthmus/core";
import type { Batch } from "../data-set.ts";

/** Name of a loss. */
export type LossName =
  | "cross-entropy"
  | "binary-cross-entropy"
  | "mean-squared-error"
  | "mean-absolute-error"
  | "huber"
  | "poisson"
  | "next-token"
  | "masked-token"
  | "none";

/** A loss by which networks are measured and trained. */
export interface LossInfo {
  /** Name by which options and results refer to the loss. */
  readonly name: LossName;
  /** Description of the loss and its labels, in one sentence. */
  readonly help: string;
  /** Unit of the loss; empty if it has none. */
  readonly unit: string;
  /** Whether a prediction can be wrong, so that there is a share of errors. */
  readonly hasError: boolean;
}

/** All named losses, with their purposes. */
export const LOSSES: readonly LossInfo[] = [
  {
    name: "cross-entropy",
    help: "one class for each example, position or pixel, by the softmax of logits",
    unit: "nats",
    hasError: true,
  },
  {
    name: "binary-cross-entropy",
    help: "labels 0 or 1, one for each number of the output, by the sigmoid of logits",
    unit: "nats",
    hasError: true,
  },
  {
    name: "mean-squared-error",
    help: "numbers of the output's shape, as of regressions; autoencoders are given their input",
    unit: "squared units",
    hasError: false,
  },
  {
    name: "mean-absolute-error",
    help: "numbers of the output's shape, each by its distance",
    unit: "units",
    hasError: false,
  },
  {
    name: "huber",
    help: "numbers of the output's shape, each by half its squared distance, beyond 1 by its distance less a half",
    unit: "units",
    hasError: false,
  },
  {
    name: "poisson",
    help: "counts, each by the logarithm of its rate, without the term of the count alone",
    unit: "nats",
    hasError: false,
  },
  {
    name: "next-token",
    help: "texts, each token from those before it",
    unit: "nats",
    hasError: true,
  },
  {
    name: "masked-token",
    help: "texts, the tokens whose labels are not negative",
    unit: "nats",
    hasError: true,
  },
  {
    name: "none",
    help: "nothing is scored, as for detectors: similarity, activations and statistics can be measured",
    unit: "",
    hasError: false,
  },
];

/**
 * A function that computes a loss, for measuring networks; it cannot be used for training.
 * @param outputs - all outputs of the graph by name, `[examples, ...]` each
 * @param batch - examples in the form that the data set returns
 * @returns the loss of each example, `[examples]`
 */
export type LossFunction = (outputs: ReadonlyMap<string, Tensor>, batch: Batch) => ArrayLike<number>;

/** Loss of one of several outputs. */
export interface LossOfOutput {
  /** Name of the loss of the output. */
  readonly loss: LossName;
  /**
   * Name of the data's array with the labels of the output. @defaultValue the array with the output's name,
   * else the labels of the data
   */
  readonly targets?: string;
  /** Factor of the loss in the sum over outputs, above 0. @defaultValue 1 */
  readonly weight?: number;
}

/** Losses of several outputs, by the output's name; they are added up. */
export type LossesOfOutputs = Readonly<Record<string, LossName | LossOfOutput>>;

/**
 * Loss by which networks are scored: a name of {@link LOSSES}, a function, or one loss for each of several
 * outputs.
 */
export type Loss = LossName | LossFunction | LossesOfOutputs;

/** Option of measurements: the loss by which networks are scored. */
export interface LossOption {
  /**
   * Loss by which networks are scored. @defaultValue the loss that the graph names, else the loss that
   * follows from the labels and the output, see `lossOf`
   */
  readonly loss?: Loss | undefined;
}

/** Kind of a loss: its name, `function`, or `several` for several outputs. */
export type LossKind = LossName | "function" | "several";

/** Returns the description of a loss by its name; undefined for other kinds. */
export function infoOf(kind: string): LossInfo | undefined {
  return LOSSES.find(({ name }) => name === kind);
}

/** Returns the kind of a loss. */
export function kindOf(loss: Loss): LossKind {
  if (typeof loss === "string") return loss;
  return typeof loss === "function" ? "function" : "several";
}
