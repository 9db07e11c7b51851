import type { Tfjs, TfTensor } from "../tfjs-types.ts";

/**
 * Applies a function that moves elements; truth values are moved as integers, as not every backend supports
 * them.
 */
export function throughIntegers(tf: Tfjs, x: TfTensor, apply: (x: TfTensor) => TfTensor): TfTensor {
  return x.dtype === "bool" ? tf.cast(apply(tf.cast(x, "int32")), "bool") : apply(x);
}
