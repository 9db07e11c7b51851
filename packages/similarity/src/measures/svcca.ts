import { type Matrix, type MatrixProducts, sliceColumns } from "@isthmus/linear-algebra";
import { dot } from "./hsic.ts";
import type { Measure } from "./measure.ts";
import { sumOfSingularValues } from "./singular-values.ts";

/** Leading directions of a representation, which hold a share of its variance. */
interface SubspaceForm {
  /** Orthonormal directions, `[samples, directions]`. */
  readonly basis: Matrix;
  readonly products: MatrixProducts;
}

/**
 * Creates SVCCA: the mean canonical correlation of the fewest leading singular directions of each
 * representation that hold a share of its variance, the sum of squared singular values.
 */
export function svccaMeasure(variance: number): Measure<SubspaceForm> {
  return {
    async prepare({ spectrum, products }) {
      const { left, values } = await spectrum();
      return { basis: sliceColumns(left, 0, countDirections(values, variance)), products };
    },
    async compare(a, b) {
      const directions = Math.min(a.basis.columns, b.basis.columns);
      if (directions === 0) return { svcca: null };
      const cosines = await a.products.multiply(a.basis, b.basis, { transposeLeft: true });
      return { svcca: (await sumOfSingularValues(cosines, a.products)) / directions };
    },
  };
}

/** Counts the leading singular values whose squares are a share of the sum of all squares. */
export function countDirections(values: Float64Array, variance: number): number {
  const total = dot(values, values);
  let sum = 0;
  for (const [index, value] of values.entries()) {
    sum += value ** 2;
    // By rounding errors, the sum of all may be a little below the total.
    if (sum >= variance * total * (1 - 1e-12) && variance < 1) return index + 1;
  }
  return values.length;
}
