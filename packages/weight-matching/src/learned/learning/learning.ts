import type { Mixture } from "@isthmus/symmetry";
import type { StreamFrame } from "../stream-frame.ts";
import { createMoments, type Moments } from "./moving-adam.ts";
import type { MixedUnits } from "./unit-inputs.ts";
import { identityPlaces } from "./unit-mover.ts";
import { createUnitScores, type UnitScores } from "./unit-scores.ts";

/** State of learning of one network: all that its further steps depend on. */
export interface Learning {
  /** Steps made. */
  readonly step: number;
  /** Mixture, scales and places after the last step. */
  readonly current: MixedUnits;
  /** Value of `current` before the last step: the last whose loss is known. */
  readonly before: MixedUnits;
  /** Moments of each space, `[size * size]`; they change from step to step. */
  readonly ofMatrices: readonly Moments[];
  /** Moments of the logarithms of scales, `[variables]`; they change from step to step. */
  readonly ofScales: Moments;
  /**
   * Scores of the units of each movable symmetry, which change from step to step; none if units keep their
   * places, as the units of the reference do.
   */
  readonly scores: readonly UnitScores[];
}

/**
 * Begins to learn at a mixture, with scales of 1 and all units in their original places.
 * @param moved - symmetries whose units are permuted again
 */
export function beginLearning(
  { symmetries, units, movable }: StreamFrame,
  mixture: Mixture,
  moved: StreamFrame["movable"] = movable,
): Learning {
  const { variables } = units.scales;
  const places = movable.map(({ symmetry }) => identityPlaces(symmetry.size));
  const current = { mixture, scales: new Float64Array(variables).fill(1), places };
  return {
    step: 0,
    current,
    before: current,
    ofMatrices: symmetries.mixing.spaces.map(({ size }) => createMoments(size * size)),
    ofScales: createMoments(variables),
    scores: moved.map(({ symmetry }) => createUnitScores(symmetry.size)),
  };
}
