import type { Value } from "../../build/value.ts";
import { type Convolution, convolveTransposed } from "./convolution.ts";

/** Gradient for the input of a convolution, `[batch, in, ...extents]`, from that for its result. */
export function inputGradient(given: Value, kernel: Value, convolution: Convolution): Value {
  return convolveTransposed(given, kernel, convolution);
}
