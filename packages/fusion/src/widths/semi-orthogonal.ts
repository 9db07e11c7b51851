import { createMatrix, type Matrix, multiply, svd } from "@isthmus/linear-algebra";

/** Share of the gram's norm added to its diagonal: directions that no product decides stay in place. */
const STAY = 1e-7;

/** Nearest matrix with orthonormal rows or columns, and the sum of products that it reaches. */
export interface NearestMap {
  /** Map, `[rows, columns]`. */
  readonly map: Matrix;
  /** Sum of the singular values of the gram: the product of the units that the map brings together. */
  readonly score: number;
}

/**
 * Finds the matrix with orthonormal rows, or columns if there are fewer of these, that maximises the sum of
 * `gram[i][j] map[i][j]`: `U V^T` for `gram = U S V^T` (semi-orthogonal Procrustes).
 *
 * @param gram - sums of products of units, `[rows, columns]`
 * @param keepsOnes - whether vectors whose elements are all equal are mapped to such vectors, and vectors of
 *   mean 0 to such vectors, as layer norms need
 *
 * Source: Schönemann, A generalized solution of the orthogonal Procrustes problem (1966).
 */
export function nearestSemiOrthogonal(gram: Matrix, keepsOnes: boolean): NearestMap {
  const { rows, columns } = gram;
  const held = Float64Array.from(gram.data);
  const norm = Math.sqrt(held.reduce((sum, value) => sum + value * value, 0)) || 1;
  for (let i = 0; i < Math.min(rows, columns); i++) {
    held[i * columns + i] = (held[i * columns + i] as number) + STAY * norm;
  }
  // A constant matrix beside a centred one maps ones to ones, and all else among itself.
  const ones = norm / Math.sqrt(rows * columns);
  const data = keepsOnes ? centreBoth({ rows, columns, data: held }).map((value) => value + ones) : held;
  const { left, right, values } = svd(createMatrix(rows, columns, data));
  return {
    map: multiply(left, right, { transposeRight: true }),
    score: values.reduce((sum, value) => sum + value, 0),
  };
}

/** Takes the mean of each row and of each column away. */
function centreBoth({ rows, columns, data }: Matrix): Float64Array {
  const [ofRows, ofColumns] = [new Float64Array(rows), new Float64Array(columns)];
  let total = 0;
  data.forEach((value: number, k: number) => {
    const [i, j] = [Math.floor(k / columns), k % columns];
    ofRows[i] = (ofRows[i] as number) + value / columns;
    ofColumns[j] = (ofColumns[j] as number) + value / rows;
    total += value / data.length;
  });
  return Float64Array.from(
    data,
    (value, k) =>
      value - (ofRows[Math.floor(k / columns)] as number) - (ofColumns[k % columns] as number) + total,
  );
}
