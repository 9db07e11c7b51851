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
import { adamStep, type LearningStep } from "./moving-adam.ts";
import { type LearnedRule, orthogonalStep } from "./orthogonal-step.ts";
import type { RowProducts } from "./row-products.ts";
import { moveVariablesInPlace } from "./unit-mover.ts";
import { stepScores, sumUnitProducts } from "./unit-scores.ts";

/**
 * Makes a step in all spaces, scales and scores of units of one network: of Adam, or in matrices by another
 * rule.
 * @param products - products of the network's weights with the gradients of the loss of the mean
 * @param step - share of the network in the mean, and size of the step in an element of a generator
 */
export function stepSpaces(
  frame: StreamFrame,
  learning: Learning,
  products: RowProducts,
  { t, rate, rule = "adam" }: LearningStep & { readonly rule?: LearnedRule },
): Learning {
  const { symmetries, units, movable } = frame;
  const { mixing } = symmetries;
  const { current, ofMatrices, ofScales } = learning;
  const step = learning.step + 1;
  const generators = generatorGradients(mixing.spaces, products.matrices, t);
  const mixture = moveMixture(mixing.spaces, current.mixture, (index, size, group) => {
    const [gradient, moments] = [at(generators, index, "space"), at(ofMatrices, index, "space")];
    const isWhole = rule === "orthogonal" && !isComplex(group);
    const direction = isWhole ? orthogonalStep(gradient, moments, size) : adamStep(gradient, moments, step);
    return toAlgebra(direction, size, group).map((value) => -rate * value);
  });
  const slopes = factorGradients(units.scales.variables, products.factors, t);
  const logarithms = adamStep(slopes, ofScales, step);
  const scales = current.scales.map((scale, i) => scale * Math.exp(-rate * at(logarithms, i, "variable")));
  const places = movedUnits(frame, learning, products, { t, rate });
  movable.forEach(({ scales: lists }, index) => {
    const way = [at(current.places, index, "units"), at(places, index, "units")] as const;
    for (const values of [scales, ofScales.mean, ofScales.square]) moveVariablesInPlace(values, lists, way);
  });
  return { ...learning, step, current: { mixture, scales, places }, before: current };
}

/** Makes a step in the scores of movable units; returns the places that the units go to. */
function movedUnits(
  { movable }: StreamFrame,
  { step, current: { places }, scores }: Learning,
  { units }: RowProducts,
  { t, rate }: LearningStep,
): readonly Int32Array[] {
  if (scores.length === 0) return places;
  const sizes = movable.map(({ symmetry }) => symmetry.size);
  return sumUnitProducts(units, sizes).map((product, index) =>
    stepScores(at(scores, index, "units"), product, {
      places: at(places, index, "units"),
      step: step + 1,
      t,
      rate,
    }),
  );
}

/**
 * Multiplies the matrix of each space by the exponential of a step in the algebra of its group.
 * @param stepOf - returns the step of a space, `[size, size]`, an element of the algebra
 */
export function moveMixture(
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
