import type { LossFields } from "@isthmus/graph";
import type { StatisticsPolicy } from "@isthmus/statistics";

/** Loss in nats and error in `[0, 1]`, or differences of both. */
export interface LossAndError {
  readonly loss: number;
  readonly error: number;
}

/** What one part of the network has to do with the excess of the midpoint. */
export interface PartExcess {
  /** Name of the part: a layer, a block, or a group of one's own. */
  readonly part: string;
  /** Names of its tensors. */
  readonly tensors: readonly string[];
  /** Number of their elements. */
  readonly elements: number;
  /**
   * What averaging this part alone adds: `L(A with the part half-way) - L(A)`, and likewise in B. Where there
   * is one part only, both are the rise of the midpoint above that end.
   */
  readonly averaged: { readonly a: LossAndError; readonly b: LossAndError };
  /**
   * What taking this part alone back adds to the midpoint: `L(midpoint with the part of A) - L(midpoint)`,
   * and likewise of B; below 0 where the midpoint is better for it.
   */
  readonly putBack: { readonly a: LossAndError; readonly b: LossAndError };
}

/** An example and its excess at the midpoint. */
export interface ExampleExcess {
  /** Its index in the data, from 0. */
  readonly index: number;
  /** Its loss in A, in B and at the midpoint, in nats. */
  readonly a: number;
  readonly b: number;
  readonly midpoint: number;
  /** `midpoint - (a + b) / 2`, in nats. */
  readonly excess: number;
}

/** Which examples carry the excess of the midpoint. */
export interface ExcessByExample {
  /** Share of the examples with an excess above 0, in `[0, 1]`. */
  readonly rising: number;
  /** What these add to the mean excess, in nats; `rise - fall` is the excess. */
  readonly rise: number;
  /** What the others take from it, in nats, at least 0. */
  readonly fall: number;
  /** Smallest share of the examples that carries half of the excess; NaN if it is not above 0. */
  readonly half: number;
  /** Excess at quantiles of the examples, ascending, in nats. */
  readonly quantiles: readonly { readonly quantile: number; readonly excess: number }[];
  /** The examples of highest excess: what they add to the mean, in nats and as a share of the excess. */
  readonly top: readonly {
    /** Share of the examples, in `[0, 1]`, rounded up to whole ones. */
    readonly share: number;
    readonly examples: number;
    /** Sum of their excesses, divided by the number of all examples. */
    readonly excess: number;
    /** More than 1 where others take something from it; NaN if the excess is not above 0. */
    readonly ofExcess: number;
  }[];
  /**
   * What the examples up to a share of them add to the mean excess, highest first, in nats: rises to `rise`,
   * then falls to the excess.
   */
  readonly cumulative: readonly { readonly share: number; readonly excess: number }[];
  /** The examples of highest excess, highest first. */
  readonly worst: readonly ExampleExcess[];
}

/** The excess of the midpoint of two networks, taken apart. */
export interface BarrierDecomposition extends LossFields {
  readonly kind: "decomposition";
  readonly ends: { readonly a: LossAndError; readonly b: LossAndError };
  readonly midpoint: LossAndError;
  /** `L(1/2) - (L(A) + L(B)) / 2`, which is `midpoint` among the definitions of a barrier. */
  readonly excess: LossAndError;
  /** In the order the network uses them. */
  readonly parts: readonly PartExcess[];
  readonly byExample: ExcessByExample;
  /**
   * The examples that a softmax temperature was fitted to in each network, where all losses are with it;
   * absent where they are without.
   */
  readonly tempered?: { readonly data: string; readonly examples: number };
  readonly statistics: StatisticsPolicy;
  /** Name of the examples that statistics were measured on; absent if they were kept. */
  readonly statisticsData?: string;
  /** Number of these examples. */
  readonly statisticsExamples?: number;
  readonly examples: number;
  readonly data: string;
  readonly a: string;
  readonly b: string;
  readonly engine: string;
}
