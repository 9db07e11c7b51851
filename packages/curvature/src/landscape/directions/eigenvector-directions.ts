import { entry, OutOfRangeError, sizeOf } from "@isthmus/core";
import type { OperatorTensor } from "../../linear-operator.ts";
import { hessian } from "../../operators/hessian.ts";
import { topEigenpairs } from "../../top-eigenpairs.ts";
import { ATTEMPT } from "../landscape-options.ts";
import type { LandscapeResult } from "../landscape-result.ts";
import type { DirectionTask } from "./direction-task.ts";
import type { Direction, DirectionValues } from "./direction-values.ts";

/** Directions, and a record of their computation. */
export interface ComputedDirections
  extends Pick<LandscapeResult, "derivatives" | "reason" | "converged" | "hessianExamples"> {
  /** Directions in the order of the coordinates, the one of the largest eigenvalue or variance first. */
  readonly directions: readonly Direction[];
}

/**
 * Computes the eigenvectors of the largest eigenvalues of the Hessian of the mean loss, in the parameters
 * that directions move. If an operator has no second derivatives, products are differences of gradients.
 * @throws UnsupportedError if an operator has no gradient rule
 * @throws OutOfRangeError if the allowed number of products does not suffice for as many eigenvalues as there
 *   are directions
 */
export async function eigenvectorDirections(task: DirectionTask): Promise<ComputedDirections> {
  const { architecture, network, data, names, options } = task;
  const { hessianExamples: examples, batchSize, signal, dimensions, seed, steps, onProgress } = options;
  const operator = await hessian(architecture, network, data, {
    parameters: names,
    examples,
    batchSize,
    signal,
  });
  try {
    const { largest, converged } = await topEigenpairs(operator, {
      count: dimensions,
      steps,
      seed,
      signal,
      onProgress: (progress) => onProgress?.({ stage: "eigenvectors", ...progress }),
    });
    if (largest.length < dimensions) {
      throw new OutOfRangeError(
        `Cannot ${ATTEMPT} as "steps" must be enough for ${dimensions} eigenvectors: it is ${steps}, which gave ${largest.length}`,
      );
    }
    const directions = largest.map(({ value, residual, vector }, k): Direction => {
      const values = splitVector(operator.layout, orient(vector));
      return { label: `eigenvector ${k + 1}`, values, eigenvalue: value, residual };
    });
    const { derivatives, reason } = operator;
    return {
      directions,
      converged,
      derivatives,
      hessianExamples: operator.examples,
      ...(reason === undefined ? {} : { reason }),
    };
  } finally {
    await operator.release();
  }
}

/** Turns a vector so that its largest entry is positive: eigenvectors have no sign of their own. */
export function orient(vector: Float64Array): Float64Array {
  const extreme = vector.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  return extreme < 0 ? vector.map((x) => -x) : vector;
}

function splitVector(layout: readonly OperatorTensor[], vector: Float64Array): DirectionValues {
  return new Map(
    layout.map(({ name, shape, offset }) => [name, vector.slice(offset, offset + sizeOf(shape))]),
  );
}

/**
 * Joins the tensors of a direction in the order of an operator; tensors that the direction does not move are
 * zero.
 */
export function joinVector(
  { layout, dimension }: { readonly layout: readonly OperatorTensor[]; readonly dimension: number },
  values: DirectionValues,
): Float64Array {
  const vector = new Float64Array(dimension);
  for (const { name, offset } of layout) {
    if (values.has(name)) vector.set(entry(values, name, "tensor"), offset);
  }
  return vector;
}
