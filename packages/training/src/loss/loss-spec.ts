/**
 * Cross-entropy of logits `[N, classes]` (the classes are the last axis) against labels i64 `[N]`: the mean over examples, in
 * nats. Of logits `[N, L, classes]` against labels i64 `[N, L]`: the mean over all positions.
 *
 * Labels must lie in `[0, classes)`. The graph does not check: one outside counts as an example of no class, whose loss is that
 * of label smoothing alone. The training loop refuses such labels before they are fed.
 */
export interface CrossEntropyLoss {
  readonly kind: "cross-entropy";
  /** Output that holds the logits. @defaultValue the first output that can be logits */
  readonly logits?: string;
  /** Data input for the examples, whose first extent is the batch. @defaultValue the only one */
  readonly examples?: string;
  /** Share of the target's mass spread evenly over all classes, in `[0, 1)`. @defaultValue 0 */
  readonly labelSmoothing?: number;
  /**
   * Whether there is one more input f32 of the labels' shape, how much each label counts: the loss is then the weighted mean (0 where
   * all weights are 0). @defaultValue false
   */
  readonly weighted?: boolean;
}

/**
 * Cross-entropy of logits `[N, L, vocabulary]` against the token that comes next, the tokens i64 `[N, L]` being both what goes
 * in and what is to be predicted: the mean over tokens but the first of each row, in nats. What is said of the last position is
 * ignored, as nothing follows it.
 */
export interface NextTokenLoss {
  readonly kind: "next-token";
  /** Output that holds the logits. @defaultValue the first output that can be logits */
  readonly logits?: string;
  /** Data input for the tokens. @defaultValue the only one */
  readonly examples?: string;
  /** Share of the target's mass spread evenly over the vocabulary, in `[0, 1)`. @defaultValue 0 */
  readonly labelSmoothing?: number;
  /**
   * Whether there is one more input f32 `[N, L]`, how much each token counts as one to be predicted: the loss is then the
   * weighted mean (0 where all weights are 0). Those of first tokens are ignored. @defaultValue false
   */
  readonly weighted?: boolean;
}

/** Mean over all elements of the squared difference between an output and targets of its shape. */
export interface MeanSquaredErrorLoss {
  readonly kind: "mean-squared-error";
  /** Output that holds the predictions. @defaultValue the first output */
  readonly prediction?: string;
  /** Data input for the examples. @defaultValue the only one */
  readonly examples?: string;
}

/** A scalar the graph computes itself. */
export interface OutputLoss {
  readonly kind: "output";
  /** Output or other value of the graph that holds one floating-point number. */
  readonly output: string;
  /** Data input for the examples. @defaultValue the first */
  readonly examples?: string;
  /** Data input for what they should become. @defaultValue the second; where there is one only, the examples are the targets */
  readonly targets?: string;
}

/** What to minimise, as plain data. */
export type LossSpec = CrossEntropyLoss | NextTokenLoss | MeanSquaredErrorLoss | OutputLoss;

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
