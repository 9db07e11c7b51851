import { OutOfRangeError, sumOf } from "@isthmus/core";
import { gramSvd, type Matrix, type MatrixProducts, sliceColumns } from "@isthmus/linear-algebra";
import { dot } from "./hsic.ts";
import type { Measure } from "./measure.ts";
import { countDirections } from "./svcca.ts";

/** Directions of a representation, and the coordinates of each feature in them. */
interface WeightedForm {
  /** Orthonormal directions, `[samples, directions]`. */
  readonly basis: Matrix;
  /** Coordinates of the features, `[directions, features]`. */
  readonly loadings: Matrix;
  readonly products: MatrixProducts;
}

/**
 * Creates PWCCA (Morcos et al., 2018) on the directions of SVCCA: canonical correlations weighted by how much
 * of the features of A lies along the canonical variables of A. It changes if features of A are mixed, but
 * not if they are permuted, and it is not symmetric.
 */
export function pwccaMeasure(variance: number): Measure<WeightedForm> {
  return {
    async prepare({ spectrum, centred, products, samples, features }) {
      if (features > samples) {
        throw new OutOfRangeError(
          `Cannot compute PWCCA as a value must have at most as many features as there are samples: one has ${features} features of ${samples} samples; average its positions, take more samples, or leave out pwcca`,
        );
      }
      const { left, values } = await spectrum();
      const basis = sliceColumns(left, 0, countDirections(values, variance));
      const loadings = await products.multiply(basis, await centred(), { transposeLeft: true });
      return { basis, loadings, products };
    },
    async compare(a, b) {
      if (a.basis.columns === 0 || b.basis.columns === 0) return { pwcca: null };
      const cosines = await a.products.multiply(a.basis, b.basis, { transposeLeft: true });
      const { left, values } = await gramSvd(cosines, a.products);
      const shares = await a.products.multiply(left, a.loadings, { transposeLeft: true });
      const weights = sumsOfRows(shares);
      return { pwcca: dot(weights, values) / sumOf(weights) };
    },
  };
}

/** Sums the absolute values of each row. */
function sumsOfRows({ rows, columns, data }: Matrix): Float64Array {
  const sums = new Float64Array(rows);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / columns);
    sums[row] = (sums[row] as number) + Math.abs(data[i] as number);
  }
  return sums;
}
