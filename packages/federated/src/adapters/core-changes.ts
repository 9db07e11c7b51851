import { at, InvariantError } from "@isthmus/core";
import {
  createMatrix,
  joinColumns,
  type Matrix,
  multiply,
  symmetricEigen,
  transposeMatrix,
  zerosLike,
} from "@isthmus/linear-algebra";
import type { Factors, SharedSpace } from "@isthmus/merging";
import { addScaled, mixRow } from "../aggregate/combine-range.ts";
import type { Combination } from "../aggregate/plan-aggregate.ts";

/** Most elements of blocks of the cores of all clients that are held at once. */
const ELEMENTS = 2 ** 21;

/** A change in a shared space: the space, whose bases may have been turned, and the matrix in it. */
export interface CoreChange {
  /** Orthonormal bases in which the change is given. */
  readonly space: SharedSpace;
  /** The change in these bases, `[l, r]`. */
  readonly core: Matrix;
}

/** Combines changes that are given by their factors in a shared space, `[l, 2 rank]` and `[2 rank, r]`. */
export function combineCores(
  space: SharedSpace,
  cores: readonly Factors[],
  combination: Combination,
): CoreChange {
  if (combination.kind === "coordinates") return combineElements(space, cores, combination);
  const core = zerosLike(space.left, space.left.columns, space.right.columns);
  for (const [k, { left, right }] of cores.entries()) {
    addScaled(multiply(left, right).data, at(combination.weights, k, "weight"), core.data);
  }
  return { space, core };
}

/**
 * Combines changes element by element along the main directions of all clients: the eigenvectors of the sums
 * of `D D'` and of `D' D` over their changes `D`. These depend on the products alone, not on how clients
 * wrote them as factors, nor on their order. Bounds on what attackers do to a median or a trimmed mean hold
 * in any orthonormal basis, as they add up variances, whose sum no rotation changes.
 */
function combineElements(
  space: SharedSpace,
  cores: readonly Factors[],
  { mixture, rule, parameters }: Extract<Combination, { readonly kind: "coordinates" }>,
): CoreChange {
  const turn = {
    left: mainDirections(cores.map(({ left, right }) => ({ left, right }))),
    right: mainDirections(
      cores.map(({ left, right }) => ({ left: transposeMatrix(right), right: transposeMatrix(left) })),
    ),
  };
  const turned = cores.map(({ left, right }) => ({
    left: multiply(turn.left, left, { transposeLeft: true }),
    right: multiply(right, turn.right),
  }));
  const [rows, columns] = [turn.left.columns, turn.right.columns];
  const core = zerosLike(space.left, rows, columns);
  const block = Math.max(1, Math.floor(ELEMENTS / (columns * (cores.length + mixture.length))));
  for (let top = 0; top < rows; top += block) {
    const bottom = Math.min(rows, top + block);
    const values = turned.map(({ left, right }) => {
      const part = left.data.subarray(top * left.columns, bottom * left.columns);
      return Float64Array.from(multiply(createMatrix(bottom - top, left.columns, part), right).data);
    });
    const mixed = mixture.map((weights) => mixRow(weights, values));
    rule.combineInto(mixed, parameters, core.data.subarray(top * columns, bottom * columns) as Float64Array);
  }
  return {
    space: { left: multiply(space.left, turn.left), right: multiply(space.right, turn.right) },
    core,
  };
}

/** Computes the eigenvectors of the sum of `D D'`, largest first, for `D` given by factors. */
function mainDirections(changes: readonly Factors[]): Matrix {
  const [first, ...others] = changes.map(({ left, right }) => {
    // D D' = (L K) L' with the small matrix K = R R'.
    const inner = multiply(right, right, { transposeRight: true });
    return { half: multiply(left, inner), left };
  });
  if (first === undefined) throw new InvariantError("there are no changes");
  const sum = multiply(
    joinColumns([first.half, ...others.map(({ half }) => half)]),
    joinColumns([first.left, ...others.map(({ left }) => left)]),
    { transposeRight: true },
  );
  return symmetricEigen(sum).vectors;
}
