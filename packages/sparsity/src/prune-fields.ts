import { choiceField, type Field, type FieldsOf, namesField, numberField } from "@isthmus/core";

/**
 * Ways to choose elements to prune: by least magnitude among all weights, by least magnitude in each weight,
 * or whole units.
 */
export const PRUNE_CHOICES = ["global", "layer", "units"] as const;

/** Way to choose elements to prune. */
export type PruneChoice = (typeof PRUNE_CHOICES)[number];

/** Options of pruning that are plain data. */
export interface PruningChoice {
  /**
   * Share of the weights that is pruned, in `[0, 1)`; if whole units are pruned, share of the units of each
   * layer.
   */
  readonly sparsity: number;
  /**
   * Way to choose elements: by comparing all weights together, or the weights of each layer, or whole units.
   * @defaultValue "global"
   */
  readonly by?: PruneChoice;
  /**
   * Names of the weights, or of the layers of units, that are pruned, in which `*` matches any characters.
   * @defaultValue all weights of two or more axes; all layers
   */
  readonly layers?: readonly string[] | undefined;
}

/** Field of the share that is pruned. */
export const SPARSITY_FIELD: Field<number> = numberField({
  least: 0,
  below: 1,
  placeholder: "<share>",
  help: "share of the weights that becomes zero, such as 0.9",
});

/** Fields of {@link PruningChoice}. */
export const PRUNING_FIELDS: FieldsOf<PruningChoice> = {
  sparsity: SPARSITY_FIELD,
  by: choiceField<PruneChoice>(PRUNE_CHOICES, {
    default: "global",
    help: "the least weights of all, the least of each layer, or the least units",
  }),
  layers: namesField({ help: "weights, or layers of units, that are pruned (default: all)" }),
};
