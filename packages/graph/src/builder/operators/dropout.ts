import type { Value } from "../graph-builder.ts";

/**
 * Adds a dropout for training; in inference, and so in the graph, it is the identity. Returns `x` itself if
 * `ratio` is 0.
 * @param ratio - share of elements that are dropped, in `[0, 1)`
 */
export function dropout(x: Value, ratio: number): Value {
  if (ratio === 0) return x;
  return x.builder.emit(
    "Dropout",
    [x, x.builder.scalar(ratio)],
    [{ dtype: x.dtype, shape: x.shape }],
  )[0] as Value;
}
