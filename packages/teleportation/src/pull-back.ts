import { at, sizeOf } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import { type FactorLayout, gatherRowsInto } from "@isthmus/symmetry";
import { multiplyInPlace, positionIn } from "@isthmus/symmetry/layout";
import { toAlgebra } from "@isthmus/weight-matching";
import { type Element, reciprocals } from "./element.ts";
import type { Orbit } from "./orbit.ts";

/** Derivatives of a number with respect to a further small move of a network along its orbit. */
export interface AlgebraGradient {
  /** Derivative by the generator of each space, `[size, size]`, an element of the algebra of its group. */
  readonly matrices: readonly Float64Array[];
  /** Derivative by the logarithm of each scale, `[variables]`. */
  readonly scales: Float64Array;
}

/** Derivatives of a number with respect to weights, and the numbers that a move would multiply by them. */
export interface Pairing {
  /** Derivatives, by weight. */
  readonly gradients: ReadonlyMap<string, Float64Array>;
  /** Numbers that move: the weights, or what is to be moved in their place, such as rounding errors. */
  readonly moved: ReadonlyMap<string, Float64Array>;
  /** Whether the numbers are weights, which scales multiply around the origin of the graph. */
  readonly areWeights: boolean;
}

/**
 * Turns derivatives with respect to weights into derivatives with respect to the algebra of the group at an
 * element: a generator `E` of a space changes rows `X` of a weight by `E X`, so its derivative is the sum of
 * `G X^T` over the rows, and `-(G X^T)^T` of rows that the inverse mixes. No exponential is differentiated.
 *
 * Scales act after matrices, so rows and their derivatives are first brought to where matrices act.
 */
export function pullBack(orbit: Orbit, { scales }: Element, pairings: readonly Pairing[]): AlgebraGradient {
  const matrices = orbit.spaces.map(({ size }) => new Float64Array(size * size));
  const ofScales = new Float64Array(orbit.scales.variables);
  for (const { gradients, moved, areWeights } of pairings) {
    for (const [name, gradient] of gradients) {
      const values = moved.get(name);
      const layout = orbit.scales.weights.get(name);
      if (values === undefined) continue;
      if (layout !== undefined && orbit.movesScales)
        addSlopes(layout, { gradient, values, origin: areWeights ? (layout.origin ?? 0) : 0 }, ofScales);
      addProducts(orbit, name, { gradient, values, layout, scales }, matrices);
    }
  }
  return {
    matrices: matrices.map((matrix, index) => {
      const { size, group } = at(orbit.spaces, index, "space");
      return toAlgebra(matrix, size, group);
    }),
    scales: ofScales,
  };
}

/** Adds the derivatives by the logarithms of scales that lie on a weight. */
function addSlopes(
  { view, fields }: FactorLayout,
  {
    gradient,
    values,
    origin,
  }: { readonly gradient: Float64Array; readonly values: Float64Array; readonly origin: number },
  slopes: Float64Array,
): void {
  const products = gradient.map((slope, i) => slope * ((values[i] as number) - origin));
  for (const { axes, variables } of fields) {
    const sums = sumsOver(products, view, axes);
    variables.forEach((variable, position) => {
      if (variable === 0) return;
      const index = Math.abs(variable) - 1;
      slopes[index] = (slopes[index] as number) + Math.sign(variable) * (sums[position] as number);
    });
  }
}

/** Sums the elements of a tensor at each position over some axes. */
function sumsOver(values: Float64Array, view: readonly number[], axes: readonly number[]): Float64Array {
  const positions = axes.reduce((product, axis) => product * at(view, axis, "axis"), 1);
  const sums = new Float64Array(positions);
  const [first = 0, last = 0] = [axes[0], axes.at(-1)];
  if (last - first !== axes.length - 1) {
    const positionOf = positionIn(view, axes);
    values.forEach((value, i) => {
      sums[positionOf(i)] = (sums[positionOf(i)] as number) + value;
    });
    return sums;
  }
  // Neighbouring axes have runs of elements at one position after the other.
  const run = sizeOf(view.slice(last + 1));
  for (let begin = 0, position = 0; begin < values.length; begin += run) {
    let sum = 0;
    for (let i = begin; i < begin + run; i++) sum += values[i] as number;
    sums[position] = (sums[position] as number) + sum;
    position = position + 1 === positions ? 0 : position + 1;
  }
  return sums;
}

interface Rows {
  readonly gradient: Float64Array;
  readonly values: Float64Array;
  readonly layout: FactorLayout | undefined;
  readonly scales: Float64Array;
}

/** Adds the products of the rows of a gradient and of a weight that matrices mix. */
function addProducts(
  { occurrences, spaces }: Orbit,
  name: string,
  { gradient, values, layout, scales }: Rows,
  sums: readonly Float64Array[],
): void {
  const places = occurrences.get(name);
  if (places === undefined) return;
  let [left, right] = [gradient, values];
  if (layout !== undefined) {
    [left, right] = [left.slice(), right.slice()];
    multiplyInPlace(left, 0, { ...layout, origin: 0 }, scales);
    multiplyInPlace(right, 0, { ...layout, origin: 0 }, reciprocals(scales));
  }
  for (const occurrence of places) {
    const { space, isInverse, offsets } = occurrence;
    const { size } = at(spaces, space, "space");
    const others = offsets.length;
    const rowsOf = (data: Float64Array) =>
      createMatrix(size, others, gatherRowsInto(data, occurrence, new Float64Array(size * others)));
    const [a, b] = isInverse ? [right, left] : [left, right];
    const { data } = multiply(rowsOf(a), rowsOf(b), { transposeRight: true });
    const sum = at(sums, space, "space");
    const sign = isInverse ? -1 : 1;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + sign * (data[i] as number);
  }
}
