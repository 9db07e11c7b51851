import { at } from "@isthmus/core";
import type { AxisRef, SymmetrySpec } from "../spec.ts";
import type { FixedNorm, MixingGroup, MixingSpace, MixingSymmetries } from "./mixing-symmetries.ts";

/** A summary of cells that may be mixed. */
export interface MixingSummary {
  readonly group: MixingGroup;
  /** Name of the symmetry whose cells are mixed, or of the weight whose pairs are multiplied. */
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

/**
 * Summarises mixtures, one entry for each symmetry whose cells may be mixed, and for each layer whose pairs
 * complex numbers may multiply.
 */
export function explainMixing(spec: SymmetrySpec, mixing: MixingSymmetries): MixingExplanation {
  const { spaces, norms, fixed } = mixing;
  const summaries = spec.symmetries.flatMap(({ name, axes }): MixingSummary[] => {
    const cells = spaces.filter(({ symmetry }) => symmetry === name);
    const [first] = cells;
    if (first === undefined) return [];
    const measured = norms.filter(({ space }) => spaces[space]?.symmetry === name).length;
    return [
      { group: first.group, symmetry: name, size: first.size, cells: cells.length, norms: measured, axes },
    ];
  });
  return { spaces: [...summaries, ...explainPairs(spec, mixing)], fixed };
}

/** Summarises the spaces whose units are behind those of the specification. */
function explainPairs({ units }: SymmetrySpec, { spaces, weights }: MixingSymmetries): MixingSummary[] {
  const pairs = new Map<string, MixingSpace[]>();
  const nameOf = new Map<number, string>();
  for (const space of spaces) {
    if (space.firstUnit < units) continue;
    nameOf.set(space.firstUnit, space.symmetry);
    const named = pairs.get(space.symmetry);
    if (named === undefined) pairs.set(space.symmetry, [space]);
    else named.push(space);
  }
  const axesOf = new Map<string, AxisRef[]>();
  for (const [tensor, { fields }] of weights) {
    for (const { axes, units: ofField } of fields) {
      const names = new Set(Array.from(ofField, (unit) => nameOf.get(unit)));
      for (const name of names) {
        if (name === undefined) continue;
        axesOf.set(name, [...(axesOf.get(name) ?? []), ...axes.map((axis) => ({ tensor, axis }))]);
      }
    }
  }
  return [...pairs].map(([symmetry, cells]): MixingSummary => {
    const { group, size } = at(cells, 0, "space");
    return { group, symmetry, size, cells: cells.length, norms: 0, axes: axesOf.get(symmetry) ?? [] };
  });
}
