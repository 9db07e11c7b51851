import type { Tensor } from "@isthmus/core";
import type { FinishedStep } from "./weight-constraint.ts";

/**
 * A change of weights and of the optimiser's state that is made after some steps, such as a move along
 * symmetries.
 *
 * Its effect may depend on the step and on the tensors, and on nothing that it remembers from earlier steps:
 * a training that resumes then ends with the same bytes.
 */
export interface WeightMove {
  /** Description as plain data; a training resumes from a state only if both agree in it. */
  readonly description: Readonly<Record<string, unknown>>;
  /** Number of steps from one change to the next; none is made after the last step. */
  readonly every: number;
  /**
   * Changes tensors in place.
   * @param tensors - weights by name, and the optimiser's state by `momentum(NAME)`, `firstMoment(NAME)` and
   *   `secondMoment(NAME)`
   */
  readonly moveInPlace: (step: FinishedStep, tensors: ReadonlyMap<string, Tensor>) => Promise<void>;
}
