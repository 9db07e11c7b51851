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
   * Masks of trained weights by name, 0 for each element that every step sets to zero, else 1: the graph of
   * the step does it, so that weights stay on a device. Names of weights that are not trained count nothing.
   * @defaultValue none
   */
  readonly masks?: ReadonlyMap<string, Uint8Array>;
  /**
   * Changes weights in place after a step, which a device must return for it. @defaultValue nothing is changed
   * @param before - weights that the step started from, by name; must not be changed
   * @param after - weights that the step made, which are changed
   */
  readonly applyInPlace?: (
    step: FinishedStep,
    before: ReadonlyMap<string, Tensor>,
    after: ReadonlyMap<string, Tensor>,
  ) => void;
}
