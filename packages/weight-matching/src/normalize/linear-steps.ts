import type { Checkpoint } from "@isthmus/core";
import { type DiagonalSymmetry, type Rotation, rotateUnits, type SymmetrySpec } from "@isthmus/symmetry";
import { multiplyUnits } from "@isthmus/symmetry/layout";
import { transposed } from "../learned/matrices/square-matrices.ts";
import { readAsFloats } from "./float-network.ts";

/** A change of a network that keeps its function, and the inverse change. */
export interface LinearStep {
  /** Changes a network lazily or in memory; its floating-point tensors become f32. */
  readonly apply: (network: Checkpoint) => Promise<Checkpoint>;
  /** Applies the inverse change, up to rounding. */
  readonly undo: (network: Checkpoint) => Promise<Checkpoint>;
}

/** Changes a network by steps, one after the other. */
export async function applySteps(steps: readonly LinearStep[], network: Checkpoint): Promise<Checkpoint> {
  let current = network;
  for (const { apply } of steps) current = await apply(current);
  return current;
}

/** Multiplies units by scales or signs. */
export function factorStep(symmetry: DiagonalSymmetry, factors: Float64Array): LinearStep {
  const inverse = factors.map((factor) => 1 / factor);
  return {
    apply: (network) => readAsFloats(multiplyUnits(network, symmetry, factors)),
    undo: (network) => readAsFloats(multiplyUnits(network, symmetry, inverse)),
  };
}

/** Rotates cells of units. */
export function rotationStep(spec: SymmetrySpec, rotations: readonly Rotation[]): LinearStep {
  const inverse = rotations.map(
    ({ space, matrix }): Rotation => ({ space, matrix: transposed(matrix, space.size) }),
  );
  return {
    apply: (network) => readAsFloats(rotateUnits(network, spec, rotations)),
    undo: (network) => readAsFloats(rotateUnits(network, spec, inverse)),
  };
}
