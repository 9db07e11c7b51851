import type { PairOrigin } from "./pair-origin.ts";

/** Loss in nats and error in `[0, 1]`, or differences of both. */
export interface LossAndError {
  /** Mean loss over examples, in nats, or a difference of losses. */
  readonly loss: number;
  /** Share of examples classified wrongly, or a difference of shares. */
  readonly error: number;
}

/** Effects of one part of the network on the excess of the midpoint. */
export interface PartExcess {
  /** Name of the part: a layer, a block, or a user-defined group. */
  readonly part: string;
  /** Names of the part's tensors. */
  readonly tensors: readonly string[];
  /** Number of elements of these tensors. */
  readonly elements: number;
  /**
   * Rise of the loss by averaging this part alone: `L(A with the part half-way) - L(A)`, and likewise in B.
   * If there is one part only, both are the rise of the midpoint above that end.
   */
  readonly averaged: { readonly a: LossAndError; readonly b: LossAndError };
  /**
   * Rise of the midpoint's loss by taking this part alone back:
   * `L(midpoint with the part of A) - L(midpoint)`, and likewise of B; below 0 if that improves the midpoint.
   */
  readonly putBack: { readonly a: LossAndError; readonly b: LossAndError };
}

/** Losses of one example, and its excess at the midpoint. */
export interface ExampleExcess {
  /** Index of the example in the data, from 0. */
  readonly index: number;
  /** Loss of the example in A, in nats. */
  readonly a: number;
  /** Loss of the example in B, in nats. */
  readonly b: number;
  /** Loss of the example at the midpoint, in nats. */
  readonly midpoint: number;
  /** Excess of the example: `midpoint - (a + b) / 2`, in nats. */
  readonly excess: number;
}

/** Distribution of the midpoint's excess over examples. */
export interface ExcessByExample {
  /** Share of the examples with an excess above 0, in `[0, 1]`. */
  readonly rising: number;
  /**
   * Sum of the excesses above 0, divided by the number of all examples, in nats; `rise - fall` is the mean
   * excess.
   */
  readonly rise: number;
  /** Absolute sum of the excesses below 0, divided by the number of all examples, in nats, at least 0. */
  readonly fall: number;
  /** Smallest share of the examples that carries half of the excess; NaN if the excess is not above 0. */
  readonly half: number;
  /** Excess at quantiles of the examples, ascending, in nats. */
  readonly quantiles: readonly { readonly quantile: number; readonly excess: number }[];
  /** Contributions of the examples of highest excess to the mean excess, in nats and as a share of it. */
  readonly top: readonly {
    /** Share of the examples, in `[0, 1]`, rounded up to whole examples. */
    readonly share: number;
    readonly examples: number;
    /** Sum of the excesses of these examples, divided by the number of all examples. */
    readonly excess: number;
    /**
     * Contribution as a share of the mean excess: more than 1 if the sum of the other excesses is negative;
     * NaN if the mean excess is not above 0.
     */
    readonly ofExcess: number;
  }[];
  /**
   * Contributions to the mean excess, in nats, of the examples up to a share of them, highest first: the
   * numbers rise to `rise`, then fall to the excess.
   */
  readonly cumulative: readonly { readonly share: number; readonly excess: number }[];
  /** Examples of highest excess, highest first. */
  readonly worst: readonly ExampleExcess[];
}

/** Decomposition of the excess of the midpoint of two networks. */
export interface BarrierDecomposition extends PairOrigin {
  /** Kind of the result. */
  readonly kind: "decomposition";
  /** Loss and error of both networks. */
  readonly ends: { readonly a: LossAndError; readonly b: LossAndError };
  /** Loss and error of the network half-way between them. */
  readonly midpoint: LossAndError;
  /**
   * Excess of the midpoint: `L(1/2) - (L(A) + L(B)) / 2`, which is `midpoint` among the definitions of a
   * barrier.
   */
  readonly excess: LossAndError;
  /** Parts in the order in which the network uses them. */
  readonly parts: readonly PartExcess[];
  /** Distribution of the excess of the loss over examples. */
  readonly byExample: ExcessByExample;
  /**
   * Examples to which a softmax temperature was fitted in each network; absent if losses are without
   * temperature.
   */
  readonly tempered?: { readonly data: string; readonly examples: number };
}
