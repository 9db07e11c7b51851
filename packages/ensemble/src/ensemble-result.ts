import type { GreedyChoice } from "./greedy/select-greedily.ts";
import type { JudgedPredictor, JudgedQuality } from "./predictions/create-judge.ts";

/** Data, by name. */
export interface NamedData {
  readonly data: string;
  readonly examples: number;
}

/** Ways to predict by several networks, compared. */
export interface EnsembleResult extends NamedData {
  readonly kind: "ensemble";
  /** Single networks first, whose numbers are means and which have no reliability. */
  readonly predictors: readonly JudgedPredictor[];
  /** Every network alone. */
  readonly networks: readonly ({ readonly network: string } & JudgedQuality)[];
  /** How the greedy ensemble was chosen; absent without examples to choose it on. */
  readonly greedy?: NamedData & {
    /** In the order in which they were chosen. */
    readonly chosen: readonly ({ readonly network: string } & Omit<GreedyChoice, "index">)[];
    /** The most that were to be chosen. */
    readonly members: number;
    readonly diversity: number;
  };
  /** Other data sets, in the order of `aurocOthers`. */
  readonly others: readonly NamedData[];
  /** Whether the mean of the weights has batch norms, which were measured anew. */
  readonly recalibrated: boolean;
  readonly engine: string;
}
