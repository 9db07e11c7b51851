import type { Mixture } from "@isthmus/symmetry";
import type { StreamFrame } from "../stream-frame.ts";
import { createMoments, type Moments } from "./moving-adam.ts";
import type { MixedUnits } from "./unit-inputs.ts";

/** How far learning is: all that further steps depend on. */
export interface Learning {
  /** Steps made. */
  readonly step: number;
  readonly current: MixedUnits;
  /** What `current` was before the last step: the last whose loss is known. */
  readonly before: MixedUnits;
  /** Moments of each space, `[size * size]`; they change from step to step. */
  readonly ofMatrices: readonly Moments[];
  /** Moments of the logarithms of scales, `[variables]`; they change from step to step. */
  readonly ofScales: Moments;
}

/** Begins to learn at a mixture, with scales of 1. */
export function beginLearning({ symmetries, units }: StreamFrame, mixture: Mixture): Learning {
  const { variables } = units.scales;
  const current = { mixture, scales: new Float64Array(variables).fill(1) };
  return {
    ...{ step: 0, current, before: current },
    ofMatrices: symmetries.mixing.spaces.map(({ size }) => createMoments(size * size)),
    ofScales: createMoments(variables),
  };
}
