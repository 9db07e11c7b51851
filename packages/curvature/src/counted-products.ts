import { findNonFinite, InputError } from "@isthmus/core";
import type { LinearOperator, ProductOptions } from "./linear-operator.ts";

/** Products with an operator that are counted, announced and can be stopped. */
export interface CountedProducts {
  /** Number of products made so far. */
  readonly completed: () => number;
  /** Computes the product with a vector into `out`, which is made if it is missing, and returns it. */
  readonly multiply: (vector: Float64Array, out?: Float64Array) => Promise<Float64Array>;
}

/**
 * Wraps an operator so that every product is checked, counted and announced.
 * @param attempt - words for the attempt in error messages, such as `measure curvature`
 * @param total - largest number of products
 * @throws InputError if a product is not finite
 */
export function countProducts(
  attempt: string,
  operator: LinearOperator,
  { signal, onProgress, total }: ProductOptions & { readonly total: number },
): CountedProducts {
  let completed = 0;
  return {
    completed: () => completed,
    async multiply(vector, product = new Float64Array(operator.dimension)) {
      signal?.throwIfAborted();
      await operator.apply(vector, product);
      const place = findNonFinite({ dtype: "f64", data: product });
      if (place >= 0) {
        throw new InputError(
          `Cannot ${attempt} as products with the operator must be finite: element ${place} of ${operator.dimension} is ${product[place]}; look for weights or examples that overflow`,
          { input: "operator" },
        );
      }
      completed += 1;
      onProgress?.({ done: completed / total, completed, total });
      return product;
    },
  };
}
