import { expand, type Value } from "@isthmus/graph/builder";

/** Zeros of a shape, of the element type of a value. */
export function zeros({ builder, dtype }: Value, shape: readonly number[]): Value {
  return expand(builder.scalar(0, dtype), shape);
}
