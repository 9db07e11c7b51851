import { at, entry } from "@isthmus/core";
import type { DiagonalSymmetry } from "@isthmus/symmetry";
import { axisOffsets } from "@isthmus/symmetry/layout";

/** The variables along some axes of a weight, and where the elements that each multiplies lie. */
interface FactorRows {
  /** As in a `FactorField`: `v + 1`, `-(v + 1)` or 0 for each row. */
  readonly variables: Int32Array;
  /** Index of the first element of each row. */
  readonly bases: Int32Array;
  /** Distance of each element of a row from its first. */
  readonly offsets: Int32Array;
}

/** Rows of each weight that some variable multiplies. */
export type FactorTable = ReadonlyMap<string, readonly FactorRows[]>;

/** Finds once where the variables of a symmetry lie. */
export function factorTable({ weights }: DiagonalSymmetry): FactorTable {
  return new Map(
    [...weights].map(([name, { view, fields }]) => [
      name,
      fields.map(({ axes, variables }): FactorRows => {
        const others = view.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
        return { variables, bases: axisOffsets(view, axes), offsets: axisOffsets(view, others) };
      }),
    ]),
  );
}

/** Multiplies the rows of a weight by their factors, `[variables]`. */
export function multiplyRowsInPlace(
  values: Float32Array | Float64Array,
  rows: readonly FactorRows[],
  factors: Float64Array,
): void {
  for (const { variables, bases, offsets } of rows) {
    variables.forEach((variable, row) => {
      if (variable === 0) return;
      const number = at(factors, Math.abs(variable) - 1, "variable");
      const factor = variable > 0 ? number : 1 / number;
      const base = at(bases, row, "row");
      for (const offset of offsets) values[base + offset] = (values[base + offset] as number) * factor;
    });
  }
}

/**
 * Computes the gradient of a loss with respect to the logarithm of each factor, from gradients with respect
 * to plain weights: the sum of `gradient * weight` over what the factor multiplies, less the sum over what it
 * divides.
 *
 * @param network - the multiplied network
 * @param scale - how much a change of the network changes the weights
 * @returns `[variables]`
 */
export function factorGradients(
  table: FactorTable,
  variables: number,
  {
    gradients,
    network,
    scale,
  }: {
    readonly gradients: ReadonlyMap<string, Float32Array>;
    readonly network: ReadonlyMap<string, Float32Array>;
    readonly scale: number;
  },
): Float64Array {
  const sums = new Float64Array(variables);
  for (const [name, ofWeight] of table) {
    const gradient = gradients.get(name);
    if (gradient === undefined) continue;
    const weights = entry(network, name, "weight");
    for (const rows of ofWeight) addProducts(sums, rows, [gradient, weights], scale);
  }
  return sums;
}

function addProducts(
  sums: Float64Array,
  { variables, bases, offsets }: FactorRows,
  [gradient, weights]: readonly [Float32Array, Float32Array],
  scale: number,
): void {
  variables.forEach((variable, row) => {
    if (variable === 0) return;
    const base = at(bases, row, "row");
    let sum = 0;
    for (const offset of offsets)
      sum += (gradient[base + offset] as number) * (weights[base + offset] as number);
    const index = Math.abs(variable) - 1;
    sums[index] = (sums[index] as number) + Math.sign(variable) * scale * sum;
  });
}
