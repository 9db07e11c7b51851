import type { Tensor } from "@isthmus/core";
import type { Batch } from "../data-set.ts";

/** Name of a loss. */
export type LossName =
  | "cross-entropy"
  | "binary-cross-entropy"
  | "mean-squared-error"
  | "mean-absolute-error"
  | "next-token"
  | "masked-token"
  | "none";

/** A loss by which networks are measured and trained. */
export interface LossInfo {
  readonly name: LossName;
  /** Says in one sentence what it is, and for which labels. */
  readonly help: string;
  /** Unit of its numbers; empty if there are none. */
  readonly unit: string;
  /** Whether a prediction can be wrong, so that there is a share of errors. */
  readonly hasError: boolean;
}

/** All losses that have a name, with what they are for. */
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
 * A loss of one's own, which networks are measured by; none are trained by it.
 * @param outputs - all outputs of the graph by name, `[examples, ...]` each
 * @param batch - the examples as the data set returns them
 * @returns the loss of each example, `[examples]`
 */
export type LossFunction = (outputs: ReadonlyMap<string, Tensor>, batch: Batch) => ArrayLike<number>;

/** The loss of one output of several. */
export interface LossOfOutput {
  readonly loss: LossName;
  /**
   * Name of the array of the data that holds its labels. @defaultValue the array of the output's name, else
   * the labels of the data
   */
  readonly targets?: string;
  /** Factor of the loss in the sum over outputs, above 0. @defaultValue 1 */
  readonly weight?: number;
}

/** One loss for each of several outputs, by the output's name; they are added up. */
export type LossesOfOutputs = Readonly<Record<string, LossName | LossOfOutput>>;

/**
 * The loss by which networks are scored: a name of {@link LOSSES}, a function, or one loss for each of
 * several outputs.
 */
export type Loss = LossName | LossFunction | LossesOfOutputs;

/** The loss that networks are scored by, as an option of measurements. */
export interface LossOption {
  /**
   * The loss by which networks are scored. @defaultValue the one that the graph names, else the one that
   * follows from the labels and the output, see `lossOf`
   */
  readonly loss?: Loss | undefined;
}

/** Kind of a loss: its name, or that it is a function or of several outputs. */
export type LossKind = LossName | "function" | "several";

/** Returns what is known of a loss of a name; undefined for other kinds. */
export function infoOf(kind: string): LossInfo | undefined {
  return LOSSES.find(({ name }) => name === kind);
}

/** Returns the kind of a loss. */
export function kindOf(loss: Loss): LossKind {
  if (typeof loss === "string") return loss;
  return typeof loss === "function" ? "function" : "several";
}
