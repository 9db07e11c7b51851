import type { MatrixProducts } from "@isthmus/linear-algebra";
import type { Factors } from "../factors.ts";

/** Changes of one module by several adapters. */
export interface ModuleChanges {
  /** Name of the module. */
  readonly name: string;
  /** Factors of each adapter that changes the module, `[out, rank]` and `[rank, in]`, at least one. */
  readonly factors: readonly [Factors, ...Factors[]];
  /**
   * Factors by which the product of each adapter is multiplied: the scale times the weight of the adapter.
   */
  readonly scales: readonly number[];
  /** Scale of the product of each adapter, without the weight of the adapter. */
  readonly ownScales: readonly number[];
  /** Weight of each adapter. */
  readonly weights: readonly number[];
  /** Multiplier of matrices, for combinations that decompose them. */
  readonly products: MatrixProducts;
}

/** A method of merging several low-rank changes into one. */
export interface Combination {
  /**
   * Returns the rank of the result, from the ranks of the changes and the extents of the weight of a module.
   * @throws MismatchError if changes of these ranks cannot be merged
   */
  rankOf(
    ranks: readonly number[],
    extents: { readonly out: number; readonly in: number },
    module: string,
  ): number;
  /**
   * Returns the bytes that the merge of a number of changes holds beside the factors. @defaultValue 0: only
   * factors are held
   */
  heldBytes?(count: number, extents: { readonly out: number; readonly in: number }): number;
  /** Computes the factors of the result, `[out, rank]` and `[rank, in]`, with scale 1. */
  combine(changes: ModuleChanges): Promise<Factors>;
}
