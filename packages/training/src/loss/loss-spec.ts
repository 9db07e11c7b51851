import type { ElementwiseLossName, LossesOfOutputs } from "@isthmus/graph";

/**
 * Cross-entropy of logits `[N, classes]` (the classes are the last axis) against labels i64 `[N]`: the mean
 * over examples, in nats. For logits `[N, L, classes]` and labels i64 `[N, L]`, the mean over all positions;
 * for logits `[N, classes, height, width]` and labels i64 `[N, pixels]`, over all pixels.
 *
 * Labels must lie in `[0, classes)`. The graph does not check labels: a label outside counts as an example of
 * no class, whose loss is the label smoothing alone. The training loop refuses such labels before they are
 * fed.
 */
export interface CrossEntropyLoss {
  /** Kind of the loss. */
  readonly kind: "cross-entropy";
  /**
   * Output or other value that holds the logits, or their softmax. @defaultValue the value that `findLogits`
   * finds
   */
  readonly logits?: string;
  /** Data input for the examples, whose first extent is the batch. @defaultValue the only one */
  readonly examples?: string;
  /** Share of the target's mass spread evenly over all classes, in `[0, 1)`. @defaultValue 0 */
  readonly labelSmoothing?: number;
  /**
   * Axis of the logits that holds the classes, 1 or -1 for the last, if the others but the first are pixels.
   * @defaultValue the last, of logits without pixels
   */
  readonly classAxis?: number;
  /**
   * Whether there is one more input, f32 of the labels' shape, that holds the weight of each label: the loss
   * is then the weighted mean (0 if all weights are 0). @defaultValue false
   */
  readonly weighted?: boolean;
}

/**
 * Cross-entropy of logits `[N, L, vocabulary]` against the token that comes next, in nats: the mean over all
 * tokens but the first of each row. The tokens i64 `[N, L]` are both the examples and the targets. Logits of
 * the last position are ignored, as nothing follows it.
 */
export interface NextTokenLoss {
  /** Kind of the loss. */
  readonly kind: "next-token";
  /**
   * Output or other value that holds the logits, or their softmax. @defaultValue the value that `findLogits`
   * finds
   */
  readonly logits?: string;
  /** Data input for the tokens. @defaultValue the only one */
  readonly examples?: string;
  /** Share of the target's mass spread evenly over the vocabulary, in `[0, 1)`. @defaultValue 0 */
  readonly labelSmoothing?: number;
  /**
   * Whether there is one more input, f32 `[N, L]`, that holds the weight of each token as one to be
   * predicted: the loss is then the weighted mean (0 if all weights are 0). Weights of first tokens are
   * ignored. @defaultValue false
   */
  readonly weighted?: boolean;
}

/**
 * The mean over all numbers of an output of a loss that compares each with a target of its own: the squared
 * or absolute difference, or the binary cross-entropy of the sigmoid, in nats, with labels from 0 to 1.
 */
export interface NumbersLoss {
  /** Kind of the loss, which decides how a number is compared with its target. */
  readonly kind: ElementwiseLossName;
  /**
   * Output that holds the predictions; for the binary cross-entropy logits, or the output of a sigmoid of
   * logits.
   * @defaultValue the output that is scored, else the first
   */
  readonly prediction?: string;
  /** Data input for the examples. @defaultValue the only one */
  readonly examples?: string;
}

/** A loss that the graph computes itself. */
export interface OutputLoss {
  /** Kind of the loss. */
  readonly kind: "output";
  /** Output or other value of the graph that holds one floating-point number. */
  readonly output: string;
  /** Data input for the examples. @defaultValue the first */
  readonly examples?: string;
  /**
   * Data input for the targets. @defaultValue the second; if there is only one, the examples are the targets
   */
  readonly targets?: string;
  /**
   * Value of the graph that the loss depends on the parameters through, such as the predictions, by which the
   * Gauss-Newton matrix and its likes are taken. @defaultValue none, so that they are refused
   */
  readonly prediction?: string;
  /** Value of the graph whose mean the loss is, if it has one number for each example. @defaultValue none */
  readonly losses?: string;
}

/**
 * The sum of the losses of several outputs, each times its weight: the mean over examples. For each example
 * the loss of an output is the mean over its positions, pixels or numbers that count.
 */
export interface SeveralLoss {
  /** Kind of the loss. */
  readonly kind: "several";
  /** A loss for each output by its name, as `scoreBy` of `@isthmus/graph` takes them. */
  readonly outputs: LossesOfOutputs;
  /**
   * Full description of the loss of each output. @defaultValue `lossOfData` completes it from the graph and
   * the data; without it every label counts, and classes are the last axis
   */
  readonly terms?: Readonly<Record<string, CrossEntropyLoss | NumbersLoss>>;
  /** Data input for the examples. @defaultValue the only one */
  readonly examples?: string;
}

/** The loss to minimise, as plain data. */
export type LossSpec = CrossEntropyLoss | NextTokenLoss | NumbersLoss | SeveralLoss | OutputLoss;

/**
 * The distance of a network's outputs from the outputs of a teacher, which needs no labels.
 *
 * For classes and tokens it is the Kullback-Leibler divergence of the student's distribution from the
 * teacher's, both softened by a temperature T, times T^2, so that the size of gradients hardly depends on T:
 * `T^2 sum p log(p / q)` with `p = softmax(teacher / T)` and `q = softmax(student / T)`, in nats, as a mean
 * over predictions. For numbers it is the squared or absolute difference from the teacher's numbers.
 * @see Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015, section 2
 */
export interface DistillationLoss {
  /** Kind of the loss. */
  readonly kind: "distillation";
  /**
   * The loss that labels would have, which names output, examples and class axis, and says whether some
   * predictions do not count.
   */
  readonly of: CrossEntropyLoss | NextTokenLoss | NumbersLoss;
  /** Temperature T, above 0; numbers ignore it. @defaultValue 1 */
  readonly temperature?: number;
}

/** The loss of one training step: against labels, or against the outputs of a teacher. */
export type StepLoss = LossSpec | DistillationLoss;

/** The loss that networks of a graph are evaluated by, whose kind follows from the graph and the data. */
export interface UsualLoss {
  /** Kind of the loss; always absent, as it follows from the graph and the data. */
  readonly kind?: undefined;
  /** Share of the target's mass spread evenly over all classes, in `[0, 1)`. @defaultValue 0 */
  readonly labelSmoothing?: number | undefined;
}

/** Defaults of {@link CrossEntropyLoss}. */
export const CROSS_ENTROPY_DEFAULTS: Required<Pick<CrossEntropyLoss, "labelSmoothing" | "weighted">> = {
  labelSmoothing: 0,
  weighted: false,
};

/** Defaults of {@link NextTokenLoss}. */
export const NEXT_TOKEN_DEFAULTS: Required<Pick<NextTokenLoss, "labelSmoothing" | "weighted">> = {
  labelSmoothing: 0,
  weighted: false,
};
