import { at, type Random } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";
import { identityPlacement, type Placement } from "../coordinate-descent/placement.ts";

/**
 * Number of random placements whose mean a relaxation starts from. It is close to the barycentre, where every
 * assignment has equal weight; its gradient is the mean of the gradients at the placements, so it needs no
 * product with a dense matrix.
 */
export const START_VERTICES = 8;

/** Options of {@link randomPlacement}. */
export interface RandomPlacementOptions {
  /** Specification whose symmetries are placed. */
  readonly spec: SymmetrySpec;
  /** Indices of symmetries that are not moved. */
  readonly held: ReadonlySet<number>;
  /** Placement that these symmetries keep. @defaultValue every unit in its place */
  readonly start?: Placement;
}

/** Draws a placement in which every symmetry that may move is shuffled, cell by cell. */
export function randomPlacement({ spec, held, start }: RandomPlacementOptions, random: Random): Placement {
  return identityPlacement(spec).map((choices, symmetry) => {
    if (held.has(symmetry)) return start === undefined ? choices : at(start, symmetry, "symmetry");
    const { size, cells } = at(spec.symmetries, symmetry, "symmetry");
    for (let cell = 0; cell < cells.length; cell++) {
      random.shuffleInPlace(choices.subarray(cell * size, (cell + 1) * size));
    }
    return choices;
  });
}
