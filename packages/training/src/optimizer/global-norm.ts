import { cast, reduceSumSquare, sqrt, sum, type Value } from "@isthmus/graph/builder";

/** Root of the sum of all squares of some tensors, f32 `[]`. */
export function globalNorm(values: readonly Value[]): Value {
  return sqrt(sum(values.map((value) => cast(reduceSumSquare(value), "f32"))));
}
