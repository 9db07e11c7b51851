import { choiceField, type FieldsOf, wholeField } from "@isthmus/core";
import { PRUNING_FIELDS, type PruneChoice, SPARSITY_FIELD } from "../prune-fields.ts";

/** Options of pruning in rounds. */
export interface RoundsChoice {
  /** Share of the weights that is pruned after the last round, in `[0, 1)`. */
  readonly sparsity: number;
  /** Number of rounds of pruning and training again, at least 1. @defaultValue 5 */
  readonly rounds?: number;
  /**
   * Way to choose elements: by comparing all weights together, or the weights of each layer.
   * @defaultValue "global"
   */
  readonly by?: "global" | "layer";
}

/** Largest number of rounds of a lottery ticket. */
const MOST_ROUNDS = 10_000;

/** Fields of {@link RoundsChoice}. */
export const ROUNDS_FIELDS: FieldsOf<RoundsChoice> = {
  sparsity: SPARSITY_FIELD,
  rounds: wholeField({
    least: 1,
    most: MOST_ROUNDS,
    default: 5,
    help: "rounds of pruning and training again",
  }),
  by: choiceField<"global" | "layer">(["global", "layer"], {
    default: "global",
    help: "the least weights of all, or the least of each layer",
  }),
};

/** Options of pruning a network round by round, each time from early weights of its first training. */
export interface RewindingChoice extends Pick<RoundsChoice, "sparsity" | "rounds"> {
  /**
   * Way to choose elements: by comparing all weights together, or the weights of each layer, or whole units.
   * @defaultValue "global"
   */
  readonly by?: PruneChoice;
  /**
   * Number of epochs of the first training after which its weights are stored; every round starts from the
   * stored weights.
   * @defaultValue 0: the start
   */
  readonly rewindEpoch?: number;
}

/** Largest number of epochs of a training: more would run for years. */
const MOST_EPOCHS = 100_000;

/** Fields of {@link RewindingChoice}. */
export const REWINDING_FIELDS: FieldsOf<RewindingChoice> = {
  sparsity: SPARSITY_FIELD,
  rounds: ROUNDS_FIELDS.rounds,
  by: PRUNING_FIELDS.by,
  rewindEpoch: wholeField({
    least: 0,
    most: MOST_EPOCHS,
    default: 0,
    flag: "rewind",
    help: "epochs of the first training to whose weights every round goes back",
  }),
};
