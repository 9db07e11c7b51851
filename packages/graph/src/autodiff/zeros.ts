import { expand } from "../build/operators/layout.ts";
import type { Value } from "../build/value.ts";

/** Zeros of a shape, of the element type of a value. */
export function zeros({ builder, dtype }: Value, shape: readonly number[]): Value {
  return expand(builder.scalar(0, dtype), shape);
}
