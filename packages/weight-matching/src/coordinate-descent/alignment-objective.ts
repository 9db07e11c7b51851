import { entry } from "@isthmus/core";
import type { SymmetrySpec, WeightLayout } from "@isthmus/symmetry";
import { layoutComponents } from "@isthmus/symmetry/layout";
import { type Addresses, innerProduct } from "./kernels/inner-product.ts";
import { combineOffsets, type WeightPart, weightParts } from "./weight-parts.ts";

/** Weights of both networks, flat, by name. */
export interface WeightPair {
  /** Weights of A in f32; each array is in row-major order. */
  readonly a: ReadonlyMap<string, Float32Array>;
  /** Weights of B in f32, not permuted. */
  readonly b: ReadonlyMap<string, Float32Array>;
}

/**
 * Computes the sum of inner products between A and permuted B over all parameters that the specification can
 * move, which weight matching maximises (Ainsworth et al. 2023, section 3.2, equation 1). Sums in f64.
 *
 * `|A - permuted B|^2 = |A|^2 + |B|^2 - 2 objective` over these parameters, so a larger objective is a
 * smaller distance.
 *
 * @param source - permutation of all units, `[units]`
 * @param only - names of parameters to restrict the sum to
 */
export function alignmentObjective(
  spec: SymmetrySpec,
  { a, b }: WeightPair,
  source: Int32Array,
  only?: ReadonlySet<string>,
): number {
  let objective = 0;
  for (const [tensor, layout] of spec.weights) {
    if (!votes(layout) || only?.has(tensor) === false) continue;
    objective += weightObjective([tensor, layout], { a, b }, source);
  }
  return objective;
}

/** Computes the inner product of one weight of A and of permuted B, in f64. */
export function weightObjective(
  [tensor, layout]: readonly [string, WeightLayout],
  { a, b }: WeightPair,
  source: Int32Array,
): number {
  const components = layoutComponents(layout);
  const inA = addresses(weightParts(layout, components, undefined));
  const inB = addresses(weightParts(layout, components, source));
  return innerProduct(entry(a, tensor, "weight"), entry(b, tensor, "weight"), inA, inB);
}

/** Checks whether a weight counts in matching: running statistics follow their units but do not count. */
export function votes({ role, fields }: WeightLayout): boolean {
  return role === "parameter" && fields.length > 0;
}

function addresses(parts: readonly WeightPart[]): Addresses {
  return { rows: combineOffsets(parts.slice(0, 1)), columns: combineOffsets(parts.slice(1)) };
}
