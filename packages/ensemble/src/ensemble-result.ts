import type { GreedyChoice } from "./greedy/select-greedily.ts";
import type { JudgedPredictor, JudgedQuality } from "./predictions/create-judge.ts";

/** Name and number of examples of data. */
export interface NamedData {
  /** Name of the examples. */
  readonly data: string;
  /** Number of examples. */
  readonly examples: number;
}

/** Comparison of ways to predict by several networks. */
export interface EnsembleResult extends NamedData {
  /** Kind of the result. */
  readonly kind: "ensemble";
  /**
   * Predictors; the first one stands for single networks, whose numbers are means and which have no
   * reliability.
   */
  readonly predictors: readonly JudgedPredictor[];
  /** Quality of every network alone. */
  readonly networks: readonly ({ readonly network: string } & JudgedQuality)[];
  /** Record of the choice of the greedy ensemble; absent if there were no examples to choose it by. */
  readonly greedy?: NamedData & {
    /** Chosen networks, in the order in which they were chosen. */
    readonly chosen: readonly ({ readonly network: string } & Omit<GreedyChoice, "index">)[];
    /** Largest number of networks that could be chosen. */
    readonly members: number;
    readonly diversity: number;
  };
  /** Other data sets, in the order of `aurocOthers`. */
  readonly others: readonly NamedData[];
  /** Whether the mean of the weights has batch norms, which were then measured again. */
  readonly recalibrated: boolean;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}
