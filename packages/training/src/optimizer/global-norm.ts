import { cast, reduceSumSquare, sqrt, sum, type Value } from "@isthmus/graph/builder";

/** Computes the root of the sum of the squares of all elements of all tensors, f32 `[]`. */
export function globalNorm(values: readonly Value[]): Value {
  return sqrt(sum(values.map((value) => cast(reduceSumSquare(value), "f32"))));
}
