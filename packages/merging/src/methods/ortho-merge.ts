import { createMatrix, type Matrix } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { addToDiagonal, keepConflicts } from "../matrices/kernels/rotations.ts";
import { addScaled } from "../matrices/kernels/task-vectors.ts";
import { multiplyBy, trace } from "../matrices/kernels/traces.ts";
import { nearestRotation, rotationOfSkew, skewOfRotation } from "../matrices/rotations.ts";
import { readBaseMatrix, readTaskMatrix, sumTaskMatrices } from "../matrices/task-matrices.ts";

const PARAMETERS = {
  rotate: {
    description:
      "Changes of which rotations are made: all, or rows that point away from the mean change alone (conflicts).",
    of: "merge",
    default: "all",
    choices: ["all", "conflicts"],
  },
  lambda: { description: "Factor of the mean of what rotations leave.", of: "merge", default: 1 },
} as const;

/** Share of the mean size of rotations up to which their sum counts as zero. */
const NEGLIGIBLE = 1e-8;

/**
 * OrthoMerge: splits each network into a rotation of the base's inputs and a rest. Rotations are averaged by
 * their Cayley transforms, with the mean of their sizes, and rests are averaged.
 *
 * The result of networks that are rotated bases is a rotated base, too, whose rows keep their lengths and
 * angles. `lambda: 1` is the authors' factor of .2 of the sum over their five networks. In their code the
 * rotation of a matrix with fewer rows than columns depends on arbitrary singular vectors of a zero; here it
 * is the least such rotation. A reflection has no Cayley transform, so that theirs is arbitrarily large; here
 * it is left to the rest.
 */
export const orthoMerge: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "ortho_merge",
  description:
    "Averages the rotations that networks are of the base on the group of rotations, and adds their rests.",
  source: "Yang, Shi and Liu, Orthogonal model merging, arXiv 2602.05943, 2026, section 4",
  parameters: PARAMETERS,
  // Squares of the inputs: two sums, and up to nine while a rotation is found and transformed.
  heldBytes: ({ columns, whole }) => 5 * whole + 11 * 8 * columns * columns,
  async combine(tensor) {
    const { networks, parameters, products } = tensor;
    const { rotate, lambda } = parameters;
    const base = await readBaseMatrix(tensor);
    const mean = await sumTaskMatrices(tensor);
    multiplyBy(mean.data, 1 / networks.length);
    const size = base.columns;
    const skews = createMatrix(size, size, new Float64Array(size * size));
    const rotations = createMatrix(size, size, new Float64Array(size * size));
    let sizes = 0;
    for (let i = 0; i < networks.length; i++) {
      const change = await readTaskMatrix(tensor, i);
      if (rotate === "conflicts") keepConflicts(change.data, mean.data, size);
      // A network that is its base is not rotated, not even by rounding errors.
      if (change.data.every((x) => x === 0)) {
        addToDiagonal(rotations.data, size, 1 / networks.length);
        continue;
      }
      addScaled(change.data, base.data, 1);
      const skew = await skewOfRotation(await nearestRotation(base, change, products), products);
      sizes += norm(skew) / networks.length;
      addScaled(skews.data, skew.data, 1);
      addScaled(rotations.data, (await rotationOfSkew(skew, products)).data, 1 / networks.length);
    }
    if (sizes === 0) {
      multiplyBy(mean.data, lambda);
      return mean;
    }
    // Rotations that cancel out have no mean direction: none is taken.
    const total = norm(skews);
    multiplyBy(skews.data, total > NEGLIGIBLE * sizes ? sizes / total : 0);
    const turn = await rotationOfSkew(skews, products);
    // With the mean rotation Q, b R - b + lambda (mean of d + b - b Q) is b (R - lambda Q + lambda - 1) + ...
    addScaled(turn.data, rotations.data, -lambda);
    addToDiagonal(turn.data, size, lambda - 1);
    const merged = await products.multiply(base, likeBase(turn, base));
    addScaled(merged.data, mean.data, lambda);
    return merged;
  },
});

function norm({ data }: Matrix): number {
  return Math.sqrt(trace(data, data));
}

/** Converts a square of f64 to the element type of the base. */
function likeBase(square: Matrix, base: Matrix): Matrix {
  return base.data instanceof Float64Array ? square : { ...square, data: Float32Array.from(square.data) };
}
