import { mul, reduceMean, sub, type Value } from "@isthmus/graph/builder";

/** What was normalised: `normalized = (x - mean(x)) inverse`, or without the mean. */
export interface Normalized {
  readonly normalized: Value;
  /** One over the deviation or root mean square; axes that were normalised over have extent 1. */
  readonly inverse: Value;
  readonly axes: readonly number[];
  /** Whether the mean was taken off. */
  readonly isCentered: boolean;
}

/** Gradient for `x` of a normalisation `z`, from that for `z`: `inverse (g - mean(g) - z mean(g z))`. */
export function normalizedGradient(g: Value, { normalized, inverse, axes, isCentered }: Normalized): Value {
  const mean = (value: Value) => reduceMean(value, { axes, keepDims: true });
  const along = mul(normalized, mean(mul(g, normalized)));
  const centered = isCentered ? sub(g, mean(g)) : g;
  return mul(sub(centered, along), inverse);
}
