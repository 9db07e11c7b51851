import type { Tensor } from "@isthmus/core";
import type { RunDescription } from "../train/describe-run.ts";

/**
 * A map from coordinates to the parameters of a network, so that training changes the coordinates: the
 * network's parameters are always the ones that belong to the coordinates.
 *
 * All tensors are f32 and by the names of the trained parameters; the map must always give the same bytes.
 */
export interface Reparameterization {
  /** Number of coordinates, at least 1; they start as zeros. */
  readonly dimension: number;
  /**
   * Function that writes the parameters that belong to coordinates `[dimension]`.
   * @param step - the step that the parameters are for, from 0; for the trained network the number of all
   *   steps
   */
  readonly placeInto: (
    coordinates: Float32Array,
    parameters: ReadonlyMap<string, Tensor>,
    step: number,
  ) => void;
  /**
   * Function that writes the gradient by coordinates, from the gradients by the parameters that were placed
   * last, into `out` `[dimension]`.
   */
  readonly pullBackInto: (gradients: ReadonlyMap<string, Tensor>, out: Float32Array) => void;
  /** Description of everything that decides the map, beside the parameters that it starts from. */
  readonly description: RunDescription;
}

/** A function that makes the map, from the trained parameters that training starts from. */
export type Reparameterize = (start: ReadonlyMap<string, Tensor>) => Reparameterization;
