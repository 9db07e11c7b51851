import { at } from "@isthmus/core";
import { createMatrix, multiply, symmetricEigen } from "@isthmus/linear-algebra";
import { identityMixture, type Mixture } from "@isthmus/symmetry";
import { matrixOf } from "../matrices/complex-numbers.ts";
import { times } from "../matrices/square-matrices.ts";
import type { Doubles, StreamFrame } from "../stream-frame.ts";
import { addInPlace, rowsOf } from "./weight-grams.ts";

/** Least eigenvalue that is not taken for zero, as a share of the largest. */
const LEAST = 1e-12;

/**
 * Finds the matrix of each invertible space that makes a network's weights in front of its product as large
 * as those behind it, direction by direction: `R P R^T = R^-T K R^-1` for their grams P and K. For complex
 * numbers it is the length that does so for the sums of squares. Between two balanced networks only a
 * rotation remains to be chosen.
 *
 * Trained networks are almost balanced; one whose heads were multiplied by random matrices, to keep it from
 * being merged, is not.
 */
export function balanceSpaces(frame: StreamFrame, network: Doubles): Mixture {
  const { spaces } = frame.symmetries.mixing;
  const identity = identityMixture(spaces);
  const matrices = [...identity.matrices];
  const inverses = [...identity.inverses];
  const lengths = squaredLengths(frame, network);
  spaces.forEach(({ size, group }, space) => {
    if (group === "complex") {
      const scale = (at(lengths.back, space, "space") / at(lengths.front, space, "space")) ** 0.25;
      if (!Number.isFinite(scale) || scale === 0) return;
      matrices[space] = matrixOf({ re: scale, im: 0 });
      inverses[space] = matrixOf({ re: 1 / scale, im: 0 });
    }
    if (group !== "invertible") return;
    const front = gramOf(frame, network, space, false);
    const back = gramOf(frame, network, space, true);
    const balanced = balance(front, back, size);
    if (balanced === undefined) return;
    matrices[space] = balanced.matrix;
    inverses[space] = balanced.inverse;
  });
  return { matrices, inverses };
}

/** Sums the squares of the weights in front of the product of each complex space, and behind it. */
function squaredLengths({ symmetries, occurrences }: StreamFrame, network: Doubles) {
  const { spaces } = symmetries.mixing;
  const [front, back] = [new Float64Array(spaces.length), new Float64Array(spaces.length)];
  for (const [name, ofWeight] of occurrences) {
    const values = network.get(name);
    if (values === undefined) continue;
    for (const occurrence of ofWeight) {
      const { space, isInverse } = occurrence;
      if (at(spaces, space, "space").group !== "complex") continue;
      const side = isInverse ? back : front;
      for (const value of rowsOf(values, occurrence).data)
        side[space] = at(side, space, "space") + value ** 2;
    }
  }
  return { front, back };
}

function gramOf(frame: StreamFrame, network: Doubles, space: number, isInverse: boolean): Float64Array {
  const { size } = at(frame.symmetries.mixing.spaces, space, "space");
  const gram = new Float64Array(size * size);
  for (const [name, occurrences] of frame.occurrences) {
    const values = network.get(name);
    if (values === undefined) continue;
    for (const occurrence of occurrences) {
      if (occurrence.space !== space || occurrence.isInverse !== isInverse) continue;
      const rows = rowsOf(values, occurrence);
      addInPlace(gram, multiply(rows, rows, { transposeRight: true }).data);
    }
  }
  return gram;
}

/**
 * Computes `R = (P^-1/2 (P^1/2 K P^1/2)^1/2 P^-1/2)^1/2`, symmetric, and its inverse; undefined if P or K is
 * singular.
 */
function balance(front: Float64Array, back: Float64Array, size: number) {
  const root = power(front, size, 0.5);
  const inverse = power(front, size, -0.5);
  if (root === undefined || inverse === undefined) return undefined;
  const middle = power(times(times(root, back, size), root, size), size, 0.5);
  if (middle === undefined) return undefined;
  const square = times(times(inverse, middle, size), inverse, size);
  const matrix = power(square, size, 0.5);
  const undone = power(square, size, -0.5);
  return matrix === undefined || undone === undefined ? undefined : { matrix, inverse: undone };
}

/** Raises a symmetric matrix to a power; undefined if it is singular. */
function power(matrix: Float64Array, size: number, exponent: number): Float64Array | undefined {
  const { values, vectors } = symmetricEigen(createMatrix(size, size, matrix));
  const least = at(values, size - 1, "eigenvalue");
  if (!(least > LEAST * at(values, 0, "eigenvalue"))) return undefined;
  const scaled = vectors.data.map((value, i) => value * at(values, i % size, "eigenvalue") ** exponent);
  const left = createMatrix(size, size, scaled as Float64Array);
  return multiply(left, vectors, { transposeRight: true }).data as Float64Array;
}
