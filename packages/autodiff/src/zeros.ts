import { expand, type Value } from "@isthmus/graph/builder";

/** Makes zeros of a shape, in the element type and the graph of a value. */
export function zeros({ builder, dtype }: Value, shape: readonly number[]): Value {
  return expand(builder.scalar(0, dtype), shape);
}
