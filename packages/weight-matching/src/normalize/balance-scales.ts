import { type Checkpoint, entry } from "@isthmus/core";
import type { DiagonalSymmetry, FactorField, FactorLayout } from "@isthmus/symmetry";
import { groupVariables, multiplyInPlace, positionIn } from "@isthmus/symmetry/layout";
import { aroundZero, readSubjects, type Subjects } from "./read-subjects.ts";

/** Sweeps after which balancing stops. */
const MAX_SWEEPS = 50;

/** Largest change of the logarithm of a factor in the last sweep. */
const TOLERANCE = 1e-4;

/** Measure of the weights of a unit that balancing makes equal: their norm, or their largest magnitude. */
export type BalancedMeasure = "norm" | "largest";

/** How a further square joins the squares of a unit's weights, by measure. */
const JOINED: Readonly<Record<BalancedMeasure, (sum: number, square: number) => number>> = {
  norm: (sum, square) => sum + square,
  largest: Math.max,
};

/**
 * Finds the scales with which each unit's weights in front have the norm of those behind it: the one element
 * of the group that makes the sum of squares of all weights least, regardless of the scales before. With the
 * largest magnitude in place of the norm, it equalises the ranges that a quantiser has to cover.
 *
 * @see Stock et al., "Equi-normalization of Neural Networks" (2019), section 3
 * @see Nagel et al., Data-free quantization through weight equalization (2019), section 4.1, for magnitudes
 * @returns a factor for each variable, `[variables]`
 */
export async function balanceScales(
  checkpoint: Checkpoint,
  scales: DiagonalSymmetry,
  measure: BalancedMeasure = "norm",
): Promise<Float64Array> {
  const subjects = await readSubjects(checkpoint, scales);
  const symmetry = aroundZero(scales);
  const factors = new Float64Array(symmetry.variables).fill(1);
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let largest = 0;
    for (const group of groupVariables(symmetry)) {
      const step = balanceGroup(subjects, symmetry, { group, measure });
      for (const variable of group) {
        factors[variable] = (factors[variable] as number) * (step[variable] as number);
        largest = Math.max(largest, Math.abs(Math.log(step[variable] as number)));
      }
    }
    if (largest < TOLERANCE) break;
  }
  return factors;
}

/** Balances some variables in place and returns their factors, 1 for all others. */
function balanceGroup(
  subjects: Subjects,
  symmetry: DiagonalSymmetry,
  { group, measure }: { readonly group: Int32Array; readonly measure: BalancedMeasure },
): Float64Array {
  const front = new Float64Array(symmetry.variables);
  const behind = new Float64Array(symmetry.variables);
  const touched = touchedBy(symmetry, group);
  for (const [name, layout] of touched) {
    for (const field of layout.fields)
      addSquares(entry(subjects, name, "weight"), layout, field, {
        front,
        behind,
        join: JOINED[measure],
      });
  }
  const factors = new Float64Array(symmetry.variables).fill(1);
  for (const variable of group) {
    const [before, after] = [front[variable] as number, behind[variable] as number];
    // A unit that is dead or leads nowhere has no scale that is better than another.
    if (before > 0 && after > 0) factors[variable] = (after / before) ** 0.25;
  }
  for (const [name, layout] of touched) multiplyInPlace(entry(subjects, name, "weight"), 0, layout, factors);
  return factors;
}

/** Selects the weights that some variables lie on, with these variables alone. */
export function touchedBy(
  { variables, weights }: DiagonalSymmetry,
  group: Int32Array,
): [string, FactorLayout][] {
  const member = new Uint8Array(variables + 1);
  for (const variable of group) member[variable + 1] = 1;
  return [...weights].flatMap(([name, layout]): [string, FactorLayout][] => {
    const fields = layout.fields
      .map((field): FactorField => {
        const inGroup = field.variables.map((variable) => (member[Math.abs(variable)] === 1 ? variable : 0));
        return { axes: field.axes, variables: inGroup };
      })
      .filter((field) => field.variables.some((variable) => variable !== 0));
    return fields.length === 0 ? [] : [[name, { ...layout, fields }]];
  });
}

/** Joins the squares of elements to the sums of the variables that multiply or divide them. */
function addSquares(
  values: Float32Array,
  { view }: FactorLayout,
  { axes, variables }: FactorField,
  {
    front,
    behind,
    join,
  }: {
    readonly front: Float64Array;
    readonly behind: Float64Array;
    readonly join: (sum: number, square: number) => number;
  },
): void {
  const positionOf = positionIn(view, axes);
  for (let i = 0; i < values.length; i++) {
    const variable = variables[positionOf(i)] as number;
    if (variable === 0) continue;
    const sums = variable > 0 ? front : behind;
    const index = Math.abs(variable) - 1;
    sums[index] = join(sums[index] as number, (values[i] as number) ** 2);
  }
}
