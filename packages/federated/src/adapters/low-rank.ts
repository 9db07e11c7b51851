import { at } from "@isthmus/core";
import {
  joinColumns,
  type Matrix,
  plainProducts,
  sliceColumns,
  transposeMatrix,
  zerosLike,
} from "@isthmus/linear-algebra";
import { type Factors, readFactors } from "@isthmus/merging";
import { readScale, type ScaledNetwork } from "./adapter-scaling.ts";
import { type FactorPair, rankIn } from "./factor-pairs.ts";

/** Products on one thread: a result has the same bytes wherever it is computed. */
export const products: typeof plainProducts = plainProducts;

/** Reads the factors of a pair in f64; the scale is multiplied into `B`. */
export async function readScaled(source: ScaledNetwork, pair: FactorPair): Promise<Factors> {
  const rank = rankIn(source.network, pair) ?? pair.rank;
  const { left, right } = await readFactors({ checkpoint: source.network }, { ...pair, rank }, "f64");
  return { left: scaled(left, await readScale(source, pair)), right };
}

/** Returns a copy of a matrix, each element multiplied by a number. */
export function scaled({ rows, columns, data }: Matrix, factor: number): Matrix {
  return { rows, columns, data: data.map((value) => value * factor) };
}

/** Computes the sum of the squares of numbers. */
export function squareOf(values: Matrix["data"]): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

/** Joins matrices with equally many columns, one below the other. */
export function joinRows([first, ...others]: readonly [Matrix, ...Matrix[]]): Matrix {
  return transposeMatrix(joinColumns([transposeMatrix(first), ...others.map(transposeMatrix)]));
}

/** Returns the first rows of a matrix, without a copy. */
const firstRows = ({ columns, data }: Matrix, count: number): Matrix => ({
  rows: count,
  columns,
  data: data.subarray(0, count * columns),
});

/**
 * Returns factors at another rank: the first columns of `left` and rows of `right`, or zeros after them. Of
 * factors as the server writes them, this is the best approximation of that rank.
 */
export function atRank({ left, right }: Factors, rank: number): Factors {
  const { rows } = right;
  if (rank === rows) return { left, right };
  if (rank < rows) return { left: sliceColumns(left, 0, rank), right: firstRows(right, rank) };
  return {
    left: joinColumns([left, zerosLike(left, left.rows, rank - rows)]),
    right: joinRows([right, zerosLike(right, rank - rows, right.columns)]),
  };
}

/** Displacement of a client in one pair: the product that it sent less the product that it began with. */
export interface ProductDisplacement {
  /** Factors of the displacement; their rank is twice that of the client. */
  readonly change: Factors;
  /** Differences of both factors, which span the displacement together with the network it began with. */
  readonly differences: Factors;
}

/**
 * Computes a displacement `B A - B' A'` as `(B - B') A + B' (A - A')`, which loses no digits if the client
 * moved its factors a little.
 * @param sent - factors that the client sent
 * @param began - factors of the network that it began with, of any rank: the client took as many columns and
 *   rows as its own rank
 */
export function displace(sent: Factors, began: Factors): ProductDisplacement {
  const start = atRank(began, sent.right.rows);
  const differences = {
    left: subtract(sent.left, start.left),
    right: subtract(sent.right, start.right),
  };
  return {
    differences,
    change: {
      left: joinColumns([differences.left, start.left]),
      right: joinRows([sent.right, differences.right]),
    },
  };
}

function subtract({ rows, columns, data }: Matrix, { data: other }: Matrix): Matrix {
  return { rows, columns, data: data.map((value, i) => value - at(other, i, "element")) };
}
