import type { Matrix, MatrixProducts } from "@isthmus/linear-algebra";
import { dot } from "./hsic.ts";
import type { Measure } from "./measure.ts";
import { sumOfSingularValues } from "./singular-values.ts";

/** Centred samples up to a rotation, scaled so that the whole matrix has norm 1. */
interface ShapeForm {
  readonly shape: Matrix;
  readonly length: number;
  readonly products: MatrixProducts;
}

/**
 * Creates the similarity by orthogonal Procrustes analysis: `1 - d / 2` of the squared distance
 * `d = 2 - 2 |X^T Y|_*` of centred samples of norm 1 after the best rotation (Ding et al., 2021).
 */
export function procrustesMeasure(): Measure<ShapeForm> {
  return {
    async prepare({ centred, products }) {
      const shape = await centred();
      return { shape, length: Math.sqrt(dot(shape.data, shape.data)), products };
    },
    async compare(a, b) {
      if (a.length === 0 || b.length === 0) return { procrustes: null };
      const both = await a.products.multiply(a.shape, b.shape, { transposeLeft: true });
      return { procrustes: (await sumOfSingularValues(both, a.products)) / (a.length * b.length) };
    },
  };
}
