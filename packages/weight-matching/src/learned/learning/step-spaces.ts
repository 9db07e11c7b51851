import { at } from "@isthmus/core";
import { createMatrix, type Matrix, multiply } from "@isthmus/linear-algebra";
import type { MixingSpace, Mixture } from "@isthmus/symmetry";
import {
  complexOf,
  inverseConjugate,
  isComplex,
  matrixOf,
  timesExponential,
} from "../matrices/complex-numbers.ts";
import { exponentials } from "../matrices/exponential.ts";
import { times } from "../matrices/square-matrices.ts";
import type { StreamFrame } from "../stream-frame.ts";
import { factorGradients, generatorGradients, toAlgebra } from "./generators.ts";
import type { Learning } from "./learning.ts";
import { adamStep } from "./moving-adam.ts";
import type { RowProducts } from "./row-products.ts";

/** Where a step of learning is made, and how large it is. */
export interface LearningStep {
  readonly t: number;
  readonly rate: number;
}

/**
 * Makes a step of Adam in all spaces and scales.
 * @param products - of the gradients of the loss on the way from A to mixed B
 * @param t - how far on that way, and `rate`, the step in an element of a generator
 */
export function stepSpaces(
  { symmetries: { mixing }, units }: StreamFrame,
  learning: Learning,
  products: RowProducts,
  { t, rate }: LearningStep,
): Learning {
  const { current, ofMatrices, ofScales } = learning;
  const step = learning.step + 1;
  const generators = generatorGradients(mixing.spaces, products.matrices, t);
  const mixture = movedMixture(mixing.spaces, current.mixture, (index, size, group) => {
    const direction = adamStep(at(generators, index, "space"), at(ofMatrices, index, "space"), step);
    return toAlgebra(direction, size, group).map((value) => -rate * value);
  });
  const slopes = factorGradients(units.scales.variables, products.factors, t);
  const logarithms = adamStep(slopes, ofScales, step);
  const scales = current.scales.map((scale, i) => scale * Math.exp(-rate * at(logarithms, i, "variable")));
  return { ...learning, step, current: { mixture, scales }, before: current };
}

/** Multiplies the matrix of each space by the exponential of a step. */
function movedMixture(
  spaces: readonly MixingSpace[],
  { matrices, inverses }: Mixture,
  stepOf: (index: number, size: number, group: MixingSpace["group"]) => Float64Array,
): Mixture {
  const next = spaces.map(({ size, group }, index) => {
    const step = stepOf(index, size, group);
    if (isComplex(group)) {
      const number = timesExponential(complexOf(at(matrices, index, "space")), complexOf(step));
      return { matrix: matrixOf(number), inverse: matrixOf(inverseConjugate(number)) };
    }
    const { forward, back } = exponentials(step, size);
    const matrix = times(forward, at(matrices, index, "space"), size);
    if (group !== "invertible") return { matrix, inverse: matrix };
    const [undone, inverse] = [back, at(inverses, index, "space")].map((data) =>
      createMatrix(size, size, data),
    );
    const product = multiply(undone as Matrix, inverse as Matrix, { transposeLeft: true });
    return { matrix, inverse: product.data as Float64Array };
  });
  return { matrices: next.map(({ matrix }) => matrix), inverses: next.map(({ inverse }) => inverse) };
}
