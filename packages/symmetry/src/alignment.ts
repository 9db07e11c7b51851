import { MismatchError } from "@isthmus/core";
import type { SymmetrySpec } from "./spec.ts";

/**
 * One permutation for each symmetry of a specification, as one map over its units.
 *
 * Place `u` is taken by unit `source[u]`: applied to a network B, unit `u` of the result is unit
 * `source[u]` of B. Followers are included, so the map can be applied without looking at parents.
 */
export interface Alignment {
  /**
   * Unit that takes each place, `[units]`: a permutation of `0 .. units - 1` that maps every cell onto a cell
   * of its symmetry.
   */
  readonly source: Int32Array;
}

/** Returns the alignment that moves nothing. */
export function identityAlignment(spec: SymmetrySpec): Alignment {
  return { source: Int32Array.from({ length: spec.units }, (_, unit) => unit) };
}

/**
 * Composes two alignments: permuting by the result is permuting by `inner` first and by `outer` then,
 * `permute(compose(p, q), c) = permute(p, permute(q, c))`.
 * @throws MismatchError if they are not of specifications with equally many units
 */
export function compose(outer: Alignment, inner: Alignment): Alignment {
  if (outer.source.length !== inner.source.length) {
    throw new MismatchError(
      `Cannot compose two alignments as they must be of one specification: they have ${outer.source.length} and ${inner.source.length} units`,
      { parameters: [] },
    );
  }
  return { source: outer.source.map((unit) => inner.source[unit] as number) };
}

/** Returns the alignment that undoes another: composed in either order, the two move nothing. */
export function invert({ source }: Alignment): Alignment {
  const inverse = new Int32Array(source.length);
  source.forEach((unit, place) => {
    inverse[unit] = place;
  });
  return { source: inverse };
}
