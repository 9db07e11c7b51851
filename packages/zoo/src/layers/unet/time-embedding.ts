import { at } from "@isthmus/core";
import { concat, cos, mul, reshape, sin, type Value } from "@isthmus/graph/builder";
import type { NetworkBuilder } from "../../network-builder.ts";
import { linear } from "../linear.ts";

/** Options of {@link sinusoids}. */
export interface SinusoidOptions {
  /** Number of sines and cosines together, an even number. */
  readonly width: number;
  /** Whether cosines come before sines. */
  readonly cosinesFirst: boolean;
  /** Number that is taken from the number of frequencies before it divides their exponents. */
  readonly shift: number;
}

/** Longest wave of the sinusoids, divided by 2 pi. */
const LONGEST = 10_000;

/**
 * Returns sines and cosines of numbers times falling frequencies: `[rows, width]` of `[rows]`.
 *
 * Frequencies are rounded at the same places as in diffusers, as time steps of hundreds multiply the
 * rounding.
 * @see Ho et al., Denoising diffusion probabilistic models, 2020, appendix B
 */
export function sinusoids(
  { graph }: NetworkBuilder,
  numbers: Value,
  { width, cosinesFirst, shift }: SinusoidOptions,
): Value {
  const half = width / 2;
  const step = Math.fround(-Math.log(LONGEST));
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(step * i) / Math.fround(half - shift))),
  );
  const angles = mul(reshape(numbers, [-1, 1]), graph.numbers(frequencies, "f32", [1, half]));
  return concat(cosinesFirst ? [cos(angles), sin(angles)] : [sin(angles), cos(angles)], 1);
}

/** Applies two linear layers with an activation between them to rows, `[rows, out]`. */
export function embedRows(
  network: NetworkBuilder,
  rows: Value,
  name: string,
  { out, activation }: { readonly out: number; readonly activation: (x: Value) => Value },
): Value {
  const hidden = activation(linear(network, rows, `${name}.linear_1`, { out }));
  return linear(network, hidden, `${name}.linear_2`, { out: at(hidden.shape, 1, "axis") });
}
