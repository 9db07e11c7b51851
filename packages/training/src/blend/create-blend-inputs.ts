import { createTensor, type Tensor } from "@isthmus/core";
import type { TrainingStep } from "../step/training-step.ts";

/** What a step of a blend is fed beside its batch. */
export interface BlendInputs {
  /** Coefficients and the tensors of given points by the data inputs they belong to; the same map always. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /**
   * Sets the coefficient of every point, in the step's order.
   * @throws RangeError if there is not one for each
   */
  weigh(coefficients: readonly number[]): void;
  /**
   * Puts weights at a given point, by their names in the network; the tensors themselves are fed, no copies.
   * @throws RangeError if there is no given point of that name, or a weight is missing
   */
  place(point: string, weights: ReadonlyMap<string, Tensor>): void;
}

/**
 * Makes room for what changes from step to step in a blend; coefficients start as 0, given points as empty.
 * @param step - made with `blend`
 */
export function createBlendInputs({ graph, blend = [] }: TrainingStep): BlendInputs {
  const coefficients = blend.map(() => createTensor("f32", [], new Float32Array(1)));
  const tensors = new Map(
    blend.map(({ coefficient }, k) => [coefficient, coefficients[k] as Tensor] as const),
  );
  return {
    tensors,
    weigh(given) {
      if (given.length !== blend.length) {
        throw new RangeError(
          `Cannot weigh the points of a blend as each needs one coefficient: got ${given.length} for ${blend.length}`,
        );
      }
      coefficients.forEach(({ data }, k) => {
        data[0] = given[k] as number;
      });
    },
    place(name, weights) {
      const point = blend.find((each) => each.name === name && !each.trained);
      if (point === undefined) {
        throw new RangeError(
          `Cannot place a network in a blend of graph "${graph.name}" as it must have a given point of that name: there is no "${name}"`,
        );
      }
      for (const [own, enters] of point.weights) {
        const tensor = weights.get(own);
        if (tensor === undefined) {
          throw new RangeError(
            `Cannot place a network at "${name}" of a blend as it must have every weight: there is no "${own}"`,
          );
        }
        tensors.set(enters, tensor);
      }
    },
  };
}
