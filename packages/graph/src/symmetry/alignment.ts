/**
 * One permutation for each symmetry of a specification, as one map over its units.
 *
 * Place `u` is taken by unit `source[u]`: applied to a network B, unit `u` of the result is unit
 * `source[u]` of B. Followers are included, so the map can be applied without looking at parents.
 */
export interface Alignment {
  /** `[units]`; a permutation of `0 .. units - 1` that maps every cell onto a cell of its symmetry. */
  readonly source: Int32Array;
}
