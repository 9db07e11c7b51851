import type { Tensor } from "@isthmus/core";

/** The step that was just made. */
export interface FinishedStep {
  /** Number of finished steps, from 1. */
  readonly finished: number;
  /** Number of all steps of the training. */
  readonly steps: number;
}

/**
 * A rule that weights obey after every step, such as a mask.
 *
 * Its effect may depend on the step and on both sets of weights, and on nothing that it remembers from
 * earlier steps: a training that resumes then ends with the same bytes.
 */
export interface WeightConstraint {
  /** Description as plain data; a training resumes from a state only if both agree in it. */
  readonly description: Readonly<Record<string, unknown>>;
  /**
   * Changes weights in place after a step.
   * @param before - weights that the step started from, by name; must not be changed
   * @param after - weights that the step made, which are changed
   */
  readonly applyInPlace: (
    step: FinishedStep,
    before: ReadonlyMap<string, Tensor>,
    after: ReadonlyMap<string, Tensor>,
  ) => void;
}
