import { type Checkpoint, resolveOptions } from "@isthmus/core";
import { type MatrixProducts, plainProducts } from "@isthmus/linear-algebra";
import { merge } from "../merge.ts";
import { regmeanOfGrams } from "../methods/regmean.ts";

/** Options of {@link regmean}. */
export interface RegmeanOptions {
  /**
   * Factor of the products of different inputs, in `[0, 1]`: below 1 the solution moves towards an average
   * weighted by single inputs, which protects it from overfitting. @defaultValue 0.95
   */
  readonly offDiagonal?: number;
  /**
   * Multiplier of matrices; `createProducts(engine)` is several times faster. @defaultValue `plainProducts`
   */
  readonly products?: MatrixProducts;
}

/** Defaults of {@link regmean}. */
export const REGMEAN_DEFAULTS: Required<RegmeanOptions> = { offDiagonal: 0.95, products: plainProducts };

/**
 * Merges networks, lazily, so that the outputs of each linear layer on the data of every network are as close
 * as possible to the outputs of that network's layer: `W = (sum of W_i G_i) (sum of G_i)^-1` with
 * `G_i = X_i^T X_i` (Jin et al., Dataless knowledge fusion by merging weights of language models, 2023,
 * equation 1).
 *
 * Tensors without Gram matrices are averaged. A whole linear layer is solved in f64 when it is first read, by
 * products of matrices: `inputs^2 outputs` multiplications for each network, and twice as many for the
 * solution.
 *
 * @param networks - at least one network, all of one structure
 * @param grams - for each network a checkpoint with a Gram matrix `[inputs, inputs]` under the name of each
 *   weight `[outputs, inputs]` that is to be solved: sums over examples of products of the layer's inputs
 * @throws MismatchError if names or shapes differ, or, when a tensor is read, if the sum of the Gram matrices
 *   is singular
 * @throws OutOfRangeError if the number of Gram checkpoints differs from the number of networks, or
 *   `offDiagonal` is not in `[0, 1]`
 */
export function regmean(
  networks: readonly Checkpoint[],
  grams: readonly Checkpoint[],
  options: RegmeanOptions = {},
): Checkpoint {
  const { offDiagonal, products } = resolveOptions("merge by RegMean", REGMEAN_DEFAULTS, options);
  const parameters = { off_diagonal: offDiagonal };
  return merge(networks, { method: regmeanOfGrams, measured: grams, parameters, products });
}
