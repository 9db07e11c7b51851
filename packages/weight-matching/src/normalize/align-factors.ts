import { type Checkpoint, entry } from "@isthmus/core";
import type { DiagonalSymmetry } from "@isthmus/symmetry";
import { groupVariables, multiplyInPlace, positionIn } from "@isthmus/symmetry/layout";
import { touchedBy } from "./balance-scales.ts";
import { aroundZero, readSubjects, type Subjects } from "./read-subjects.ts";

/** Sums over the elements of both networks that one variable multiplies (in front) or divides (behind). */
interface Sums {
  /** Products of A and B, in front and behind. */
  readonly front: Float64Array;
  readonly behind: Float64Array;
  /** Squares of B, in front and behind. */
  readonly frontSquares: Float64Array;
  readonly behindSquares: Float64Array;
}

/**
 * Finds scales or signs of network B that bring it closer to network A, one group of variables after the
 * other, each the best while the others stay: for a scale the least of `sum (a - s b)^2 + sum (a - b / s)^2`
 * over elements in front and behind, for a sign that of their products. A second call on the result may bring
 * B closer still, if units of several layers meet in a weight.
 *
 * @returns a factor for each variable, `[variables]`
 */
export async function alignFactors(
  [a, b]: readonly [Checkpoint, Checkpoint],
  symmetry: DiagonalSymmetry,
): Promise<Float64Array> {
  const pair = [await readSubjects(a, symmetry), await readSubjects(b, symmetry)] as const;
  const factors = new Float64Array(symmetry.variables).fill(1);
  const onSubjects = aroundZero(symmetry);
  for (const group of groupVariables(symmetry)) alignGroup(pair, onSubjects, { group, factors });
  return factors;
}

/** Aligns some variables of B in place, and writes their factors. */
function alignGroup(
  [left, right]: readonly [Subjects, Subjects],
  symmetry: DiagonalSymmetry,
  { group, factors }: { readonly group: Int32Array; readonly factors: Float64Array },
): void {
  const zeros = () => new Float64Array(symmetry.variables);
  const sums = { front: zeros(), behind: zeros(), frontSquares: zeros(), behindSquares: zeros() };
  const touched = touchedBy(symmetry, group);
  for (const [name, { view, fields }] of touched) {
    const [one, two] = [entry(left, name, "weight"), entry(right, name, "weight")];
    for (const { axes, variables } of fields) {
      addSums(sums, [one, two], { variables, positionOf: positionIn(view, axes) });
    }
  }
  for (const variable of group) {
    factors[variable] = symmetry.kind === "sign" ? signOf(sums, variable) : scaleOf(sums, variable);
  }
  for (const [name, layout] of touched) {
    multiplyInPlace(entry(right, name, "weight"), 0, layout, factors);
  }
}

function addSums(
  { front, behind, frontSquares, behindSquares }: Sums,
  [left, right]: readonly [Float32Array, Float32Array],
  field: { readonly variables: Int32Array; readonly positionOf: (element: number) => number },
): void {
  for (let i = 0; i < right.length; i++) {
    const variable = field.variables[field.positionOf(i)] as number;
    if (variable === 0) continue;
    const [products, squares] = variable > 0 ? [front, frontSquares] : [behind, behindSquares];
    const index = Math.abs(variable) - 1;
    const value = right[i] as number;
    products[index] = (products[index] as number) + (left[i] as number) * value;
    squares[index] = (squares[index] as number) + value * value;
  }
}

function signOf({ front, behind }: Sums, variable: number): number {
  return (front[variable] as number) + (behind[variable] as number) < 0 ? -1 : 1;
}

/** Steps of Newton's method from each start. */
const NEWTON_STEPS = 40;

/**
 * Finds the scale with the least distance; 1 if the unit is dead or leads nowhere, as no scale is then better
 * than another.
 */
function scaleOf({ front, behind, frontSquares, behindSquares }: Sums, variable: number): number {
  const [fab, gab] = [front[variable] as number, behind[variable] as number];
  const [fbb, gbb] = [frontSquares[variable] as number, behindSquares[variable] as number];
  if (!(fbb > 0 && gbb > 0)) return 1;
  const distance = (s: number) => s * s * fbb - 2 * s * fab + gbb / (s * s) - (2 * gab) / s;
  let best = 1;
  for (const start of [1, (gbb / fbb) ** 0.25, fab / fbb, gbb / gab]) {
    if (!(start > 0 && Number.isFinite(start))) continue;
    const scale = descendScale(start, { fab, gab, fbb, gbb });
    if (distance(scale) < distance(best)) best = scale;
  }
  return best;
}

/**
 * Finds a scale by Newton's method in its logarithm; where the curve bends the other way, the step goes down
 * the slope by 1/2 instead.
 */
function descendScale(
  start: number,
  { fab, gab, fbb, gbb }: Readonly<Record<"fab" | "gab" | "fbb" | "gbb", number>>,
): number {
  let log = Math.log(start);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const s = Math.exp(log);
    const slope = 2 * s * s * fbb - 2 * s * fab - (2 * gbb) / (s * s) + (2 * gab) / s;
    const bend = 4 * s * s * fbb - 2 * s * fab + (4 * gbb) / (s * s) - (2 * gab) / s;
    const move = bend > 0 ? -slope / bend : -Math.sign(slope) / 2;
    log += Math.max(-1, Math.min(1, move));
    if (Math.abs(move) < 1e-12) break;
  }
  return Math.exp(log);
}
