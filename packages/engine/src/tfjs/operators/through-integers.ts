import type { Tfjs, TfTensor } from "../tfjs-types.ts";

/** Moves truth values as integers, since not every backend moves them; other elements as they are. */
export function throughIntegers(tf: Tfjs, x: TfTensor, apply: (x: TfTensor) => TfTensor): TfTensor {
  return x.dtype === "bool" ? tf.cast(apply(tf.cast(x, "int32")), "bool") : apply(x);
}
