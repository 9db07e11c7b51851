import { reduceSum, type Value } from "@isthmus/graph/builder";

/** Sum over everything but channels, `[batch, channels, ...]` to `[channels]`: the gradient for a bias. */
export function channelSum(x: Value): Value {
  const spatial = [...x.shape.keys()].slice(2);
  // Contiguous axes first: half the time of one reduction over all (onnxruntime).
  return reduceSum(reduceSum(x, { axes: spatial }), { axes: [0] });
}
