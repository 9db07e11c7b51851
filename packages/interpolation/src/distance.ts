import { at, type Checkpoint } from "@isthmus/core";
import { innerProducts } from "./inner-products.ts";

/**
 * Computes the distance between two networks: the norm of their difference in the named tensors, in f64.
 * @param tensors - names of the tensors that count
 * @throws MismatchError if a network lacks one of the tensors, or its shapes differ
 */
export async function distance(
  from: Checkpoint,
  to: Checkpoint,
  tensors: readonly string[],
): Promise<number> {
  const products = await innerProducts([from, to], [[-1, 1]], { tensors });
  return Math.sqrt(at(at(products, 0), 0));
}
