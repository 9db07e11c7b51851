import type { WeightField } from "../spec.ts";
import type { LinearKind } from "./factor-algebra.ts";

/** The variables along some axes of a weight. */
export interface FactorField {
  /** Axes of {@link FactorLayout.view}, ascending. */
  readonly axes: readonly number[];
  /**
   * Code of each position over the axes: 0 if nothing changes, `v + 1` if elements are multiplied by variable
   * `v`, `-(v + 1)` if they are divided by it.
   */
  readonly variables: Int32Array;
}

/** The factors that lie in a weight, and the axes on which they lie. */
export interface FactorLayout {
  /** Shape of the tensor. */
  readonly shape: readonly number[];
  /** Shape the fields refer to. */
  readonly view: readonly number[];
  /** Factors by the axes on which they lie. */
  readonly fields: readonly FactorField[];
  /**
   * The number around which elements are multiplied: -1 if the graph adds 1 to a weight before it multiplies
   * by it. @defaultValue 0
   */
  readonly origin?: number;
}

/**
 * A symmetry by multiplication: weights may be multiplied by a number for each variable without changing the
 * function.
 */
export interface DiagonalSymmetry {
  /** Kind of the numbers: positive, or signs. */
  readonly kind: Exclude<LinearKind, "rotation">;
  /** Number of variables. */
  readonly variables: number;
  /** Weights that some variable changes. */
  readonly weights: ReadonlyMap<string, FactorLayout>;
  /** Values inside the graph that some variable changes, for the batch of the probe. */
  readonly values: ReadonlyMap<string, FactorLayout>;
}

/** A cell of units that any orthogonal matrix may mix. */
export interface RotationSpace {
  /** Name of the symmetry that the cell belongs to. */
  readonly symmetry: string;
  /** Index of the cell within its symmetry. */
  readonly cell: number;
  /** Number of the first unit: the units are `firstUnit .. firstUnit + size - 1`. */
  readonly firstUnit: number;
  /** Number of units in the cell. */
  readonly size: number;
}

/** Units that lie on some axes of a tensor, -1 at positions that do not change. */
export type UnitField = Pick<WeightField, "axes" | "units">;

/** The units that lie in a tensor, and the axes on which they lie. */
export interface UnitLayout {
  /** Shape the fields refer to. */
  readonly view: readonly number[];
  /** Units by the axes on which they lie. */
  readonly fields: readonly UnitField[];
}

/** All symmetries beyond permutation: further changes of weights that do not change the function. */
export interface LinearSymmetries {
  /** Positive numbers by which weights may be multiplied. */
  readonly scales: DiagonalSymmetry;
  /** Signs by which weights may be multiplied. */
  readonly signs: DiagonalSymmetry;
  /** Cells of units that orthogonal matrices may mix. */
  readonly rotations: readonly RotationSpace[];
  /** Values inside the graph that rotations mix, for the batch of the probe. */
  readonly rotatedValues: ReadonlyMap<string, UnitLayout>;
}
