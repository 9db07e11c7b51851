import { at } from "@isthmus/core";
import type { LogitShift } from "../shifts/find-shifts.ts";
import type { AxisRef, SymmetrySpec } from "../spec.ts";
import type { FixedNorm, MixingGroup, MixingSymmetries } from "./mixing-symmetries.ts";

/** A summary of cells that may be mixed. */
export interface MixingSummary {
  /** Group of the matrices that may mix the cells. */
  readonly group: MixingGroup;
  /** Name of the symmetry whose cells are mixed, or of the weight whose pairs are multiplied. */
  readonly symmetry: string;
  /** Units of each cell. */
  readonly size: number;
  /** Cells that are mixed independently, such as heads. */
  readonly cells: number;
  /** Number of norms that measure the cell; more than 0 for residual streams. */
  readonly norms: number;
  /** Weight axes on which the units lie. */
  readonly axes: readonly AxisRef[];
}

/** Units that may be mixed, streams that may not, with reasons, and logits that may be shifted. */
export interface MixingExplanation {
  /** Cells that may be mixed, one entry for each symmetry or layer. */
  readonly spaces: readonly MixingSummary[];
  /** Norms that keep a stream from being mixed, with the reason for each. */
  readonly fixed: readonly FixedNorm[];
  /** Layers whose logits may all be shifted alike. */
  readonly shifts: readonly ShiftSummary[];
}

/** Logits that may all be shifted alike. */
export interface ShiftSummary {
  /** The weight that computes the logits. */
  readonly weight: string;
  /** Number of logits. */
  readonly logits: number;
  /** Number of free parameters: one for each input of the layer, and one more if the layer has a bias. */
  readonly parameters: number;
  /** Weight axes that the logits lie on. */
  readonly axes: readonly AxisRef[];
}

function explainShift({ weight, shape, axis, bias }: LogitShift): ShiftSummary {
  const ofBias = bias === undefined ? [] : [{ tensor: bias, axis: 0 }];
  return {
    weight,
    logits: at(shape, axis, "axis"),
    parameters: at(shape, 1 - axis, "axis") + ofBias.length,
    axes: [{ tensor: weight, axis }, ...ofBias],
  };
}

/**
 * Summarises mixtures, one entry for each symmetry whose cells may be mixed, and for each layer whose pairs
 * complex numbers may multiply.
 */
export function explainMixing(spec: SymmetrySpec, mixing: MixingSymmetries): MixingExplanation {
  const { spaces, norms, fixed, shifts } = mixing;
  const summaries = spec.symmetries.flatMap(({ name, axes }): MixingSummary[] => {
    const cells = spaces.filter(({ symmetry }) => symmetry === name);
    const [first] = cells;
    if (first === undefined) return [];
    const measured = norms.filter(({ space }) => spaces[space]?.symmetry === name).length;
    return [
      { group: first.group, symmetry: name, size: first.size, cells: cells.length, norms: measured, axes },
    ];
  });
  return { spaces: [...summaries, ...explainPairs(spec, mixing)], fixed, shifts: shifts.map(explainShift) };
}

/** Summarises the spaces whose units are numbered behind the specification. */
function explainPairs({ units }: SymmetrySpec, { spaces, weights }: MixingSymmetries): MixingSummary[] {
  const pairs = spaces.filter(({ firstUnit }) => firstUnit >= units);
  const nameOf = new Map(pairs.map(({ firstUnit, symmetry }) => [firstUnit, symmetry]));
  const summaries = new Map<string, MixingSummary & { readonly axes: AxisRef[] }>();
  for (const { symmetry, group, size } of pairs) {
    const cells = (summaries.get(symmetry)?.cells ?? 0) + 1;
    summaries.set(symmetry, { group, symmetry, size, cells, norms: 0, axes: [] });
  }
  for (const [tensor, { fields }] of weights) {
    for (const field of fields) {
      const names = new Set(Array.from(field.units, (unit) => nameOf.get(unit) ?? ""));
      const refs = field.axes.map((axis) => ({ tensor, axis }));
      for (const name of names) summaries.get(name)?.axes.push(...refs);
    }
  }
  return [...summaries.values()];
}
