import type { Labelled } from "../labels/field.ts";
import { LABEL_FLAGS, type LabelStore } from "../labels/label-store.ts";
import { normalize } from "./normalize.ts";
import { reduce } from "./reduce.ts";
import { tie } from "./tie.ts";

/** A factor of a product, whose axes are the last axes of the virtual product, before it is summed. */
export interface Factor {
  /** Shape and labels of the factor. */
  readonly tensor: Labelled;
  /** Whether the factor depends on the input of the graph, not on weights only. */
  readonly activation: boolean;
}

/**
 * Computes the labels of sums of products of tensors over some axes, such as matrix products and
 * convolutions.
 *
 * Coarser fields stay until after the sum: with grouped queries, the label of key heads is coarser than the
 * label of query heads, and its parent would never be found if only the finer label reached the sum.
 *
 * @param axes - summed axes of the virtual product; they stay in the result, with extent 1
 */
export function contract(store: LabelStore, factors: readonly Factor[], axes: readonly number[]): Labelled {
  const tensors = factors.map(({ tensor }) => tensor);
  const rank = Math.max(0, ...tensors.map(({ shape }) => shape.length));
  const paired = factors.every(({ activation }) => activation);
  for (const { tensor, activation } of factors) {
    if (activation && !paired) continue;
    const first = rank - tensor.shape.length;
    for (const field of tensor.fields) {
      if (field.frozen || !field.axes.some((axis) => axes.includes(axis + first))) continue;
      store.flag(field.data, paired ? LABEL_FLAGS.paired : LABEL_FLAGS.weightInput);
    }
  }
  return normalize(store, reduce(store, tie(store, tensors, true), axes));
}
