import { at, OutOfRangeError, sumOf } from "@isthmus/core";
import { joinColumns, type Matrix, sliceColumns, svd, transposeMatrix } from "@isthmus/linear-algebra";
import { multiplyBy } from "../../matrices/kernels/traces.ts";
import type { Factors } from "../factors.ts";
import type { Combination, ModuleChanges } from "./combination.ts";
import { coreOf, shareSpace } from "./shared-space.ts";

/**
 * Puts the matrices of all adapters side by side. The result is exactly the sum of the changes, and its rank
 * is the sum of the ranks.
 */
export const catCombination: Combination = {
  rankOf: sumOf,
  combine: async (changes) => stack(changes),
};

/**
 * Keeps the largest singular values of the sum of all changes.
 *
 * The sum itself is never computed: in bases of all `B` and all `A` side by side, it is a small matrix with
 * the same singular values.
 * @param rank - rank of the result; undefined for the largest rank of the adapters
 * @throws OutOfRangeError if the rank is not a whole number of at least 1
 */
export function svdCombination(rank: number | undefined): Combination {
  assertRank("svd", rank);
  const rankOf = (ranks: readonly number[], extents: Parameters<Combination["rankOf"]>[1]) =>
    Math.min(rank ?? Math.max(...ranks), extents.out, extents.in);
  return {
    rankOf,
    async combine(changes) {
      const { products, factors } = changes;
      const { left, right } = stack(changes);
      const space = await shareSpace([{ left, right }], products);
      const core = await coreOf(space, { left, right }, products);
      const extents = { out: left.rows, in: right.columns };
      const keep = rankOf(
        factors.map((of) => of.right.rows),
        extents,
      );
      const inner = svd(core);
      return {
        left: await products.multiply(space.left, firstScaled(inner.left, inner.values, keep)),
        right: transposeMatrix(
          await products.multiply(space.right, firstScaled(inner.right, undefined, keep)),
        ),
      };
    },
  };
}

/**
 * Checks the rank of a result.
 * @throws OutOfRangeError if it is not a whole number of at least 1; undefined is allowed
 */
export function assertRank(name: string, rank: number | undefined): void {
  if (rank === undefined || (Number.isSafeInteger(rank) && rank >= 1)) return;
  throw new OutOfRangeError(
    `Cannot merge adapters by "${name}" as the rank must be a whole number of at least 1: it is ${rank}`,
  );
}

/** Copies the first columns, each multiplied by its value. Missing columns are filled with zeros. */
export function firstScaled(matrix: Matrix, values: Float64Array | undefined, count: number): Matrix {
  const available = Math.min(count, matrix.columns);
  const part = sliceColumns(matrix, 0, available);
  for (let i = 0; i < part.data.length; i++) {
    const value = values === undefined ? 1 : at(values, i % available, "value");
    part.data[i] = at(part.data, i, "element") * value;
  }
  if (available === count) return part;
  const zeros = { ...part, columns: count - available, data: part.data.slice(0, 0) };
  const Elements = part.data instanceof Float64Array ? Float64Array : Float32Array;
  return joinColumns([part, { ...zeros, data: new Elements(part.rows * zeros.columns) }]);
}

/** Puts `B` of all adapters side by side, and `A`, each with its scale, one below the other. */
function stack({ factors, scales }: ModuleChanges): Factors {
  const [first, ...others] = factors;
  const scaled = ({ right }: Factors, i: number): Matrix => {
    const copy = transposeMatrix(right);
    multiplyBy(copy.data, at(scales, i, "adapter"));
    return copy;
  };
  return {
    left: joinColumns([first.left, ...others.map(({ left }) => left)]),
    right: transposeMatrix(joinColumns([scaled(first, 0), ...others.map((of, i) => scaled(of, i + 1))])),
  };
}
