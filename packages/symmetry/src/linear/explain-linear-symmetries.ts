import { at } from "@isthmus/core";
import type { AxisRef, SymmetrySpec } from "../spec.ts";
import type { LinearKind } from "./factor-algebra.ts";
import { groupVariables } from "./group-variables.ts";
import type { DiagonalSymmetry, FactorLayout, LinearSymmetries } from "./linear-symmetries.ts";

/** A summary of units that may be scaled, negated or rotated. */
export interface LinearSummary {
  /** Kind of the change: scale, sign or rotation. */
  readonly kind: LinearKind;
  /** Number of units; for rotations the number in each cell. */
  readonly size: number;
  /** Number of cells that are rotated independently; 1 for scales and signs. */
  readonly cells: number;
  /** Weight axes on which the units lie, in the order of the graph. */
  readonly axes: readonly AxisRef[];
}

/**
 * Summarises symmetries beyond permutation: scales and signs layer by layer, rotations by the symmetry whose
 * cells they mix.
 */
export function explainLinearSymmetries(
  spec: SymmetrySpec,
  { scales, signs, rotations }: LinearSymmetries,
): LinearSummary[] {
  const names = [...new Set(rotations.map(({ symmetry }) => symmetry))];
  const rotated = names.flatMap((name): LinearSummary[] => {
    const cells = rotations.filter(({ symmetry }) => symmetry === name);
    const symmetry = spec.symmetries.find((candidate) => candidate.name === name);
    const { size } = at(cells, 0, "cell");
    return symmetry === undefined
      ? []
      : [{ kind: "rotation", size, cells: cells.length, axes: symmetry.axes }];
  });
  return [...explainDiagonal(scales), ...explainDiagonal(signs), ...rotated];
}

function explainDiagonal(symmetry: DiagonalSymmetry): LinearSummary[] {
  return groupVariables(symmetry).map((group): LinearSummary => {
    const members = new Set(group);
    const axes = [...symmetry.weights].flatMap(([tensor, layout]) => axesOf(tensor, layout, members));
    return { kind: symmetry.kind, size: group.length, cells: 1, axes };
  });
}

/** Finds the axes of a weight on which some variables lie. */
function axesOf(tensor: string, { shape, view, fields }: FactorLayout, members: Set<number>): AxisRef[] {
  const containing = fields.filter(({ variables }) =>
    variables.some((variable) => members.has(Math.abs(variable) - 1)),
  );
  // The view of a grouped convolution has one more axis, the groups, before its first.
  const added = view.length - shape.length;
  const axes = containing.flatMap((field) => field.axes.map((axis) => Math.max(0, axis - added)));
  return [...new Set(axes)].map((axis) => ({ tensor, axis }));
}
