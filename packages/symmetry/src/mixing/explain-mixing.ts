import type { AxisRef, SymmetrySpec } from "../spec.ts";
import type { FixedNorm, MixingGroup, MixingSymmetries } from "./mixing-symmetries.ts";

/** A summary of cells that may be mixed. */
export interface MixingSummary {
  readonly group: MixingGroup;
  /** Name of the symmetry whose cells are mixed. */
  readonly symmetry: string;
  /** Units of each cell. */
  readonly size: number;
  /** Cells that are mixed independently, such as heads. */
  readonly cells: number;
  /** Norms that measure the cell; more than 0 for residual streams. */
  readonly norms: number;
  /** Weight axes on which the units lie. */
  readonly axes: readonly AxisRef[];
}

/** What may be mixed, and which streams may not, and why. */
export interface MixingExplanation {
  readonly spaces: readonly MixingSummary[];
  readonly fixed: readonly FixedNorm[];
}

/** Summarises mixtures, one entry for each symmetry whose cells may be mixed. */
export function explainMixing(
  spec: SymmetrySpec,
  { spaces, norms, fixed }: MixingSymmetries,
): MixingExplanation {
  const summaries = spec.symmetries.flatMap(({ name, axes }): MixingSummary[] => {
    const cells = spaces.filter(({ symmetry }) => symmetry === name);
    const [first] = cells;
    if (first === undefined) return [];
    const measured = norms.filter(({ space }) => spaces[space]?.symmetry === name).length;
    return [
      { group: first.group, symmetry: name, size: first.size, cells: cells.length, norms: measured, axes },
    ];
  });
  return { spaces: summaries, fixed };
}
