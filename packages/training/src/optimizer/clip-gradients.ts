import { add, cast, div, min, mul, type Value } from "@isthmus/graph/builder";
import { globalNorm } from "./global-norm.ts";

/** Number added to the norm before it divides, as `clip_grad_norm_` does. */
const NORM_EPSILON = 1e-6;

/** Clipped gradients and the norm they had before. */
export interface ClippedGradients {
  /** Clipped gradients, in the order of the plain ones. */
  readonly gradients: readonly Value[];
  /** Norm of all gradients together before clipping, f32 `[]`. */
  readonly norm: Value;
}

/**
 * Scales gradients down so that the norm of all of them together is at most `maxNorm`.
 * @see torch.nn.utils.clip_grad_norm_
 */
export function clipGradients(gradients: readonly Value[], maxNorm: number): ClippedGradients {
  const norm = globalNorm(gradients);
  const { builder } = norm;
  const factor = min(div(builder.scalar(maxNorm), add(norm, NORM_EPSILON)), 1);
  return { gradients: gradients.map((gradient) => mul(gradient, cast(factor, gradient.dtype))), norm };
}
