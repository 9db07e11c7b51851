import { entry, sizeOf, UsageError } from "@isthmus/core";
import { openLossSurface } from "@isthmus/curvature";
import type { DataSet } from "@isthmus/graph";
import type { Doubles } from "../element.ts";
import type { ObjectiveInputs } from "./objective.ts";

/** The mean loss of networks of one graph, as a function of their parameters. */
export interface LossAt {
  /** Number of parameters. */
  readonly dimension: number;
  /** Joins the parameters among weights to one vector. */
  readonly join: (weights: ReadonlyMap<string, Float64Array>) => Float64Array;
  /** Cuts a vector into weights, which share its memory. */
  readonly split: (vector: Float64Array) => Doubles;
  /** Computes the loss at a place. */
  readonly loss: (place: Float64Array) => Promise<number>;
  /** Number of batches of examples. */
  readonly batches: number;
  /**
   * Computes the loss at a place, and its gradient into `out`.
   * @param batch - number of the only batch to measure on, from 0; the batch that options choose if missing
   */
  readonly gradient: (place: Float64Array, out: Float64Array, batch?: number) => Promise<number>;
  /** Frees the memory of the engine. */
  readonly release: () => Promise<void>;
}

/**
 * Returns the examples of an objective.
 * @throws UsageError if there are none
 */
export function examplesOf({ data }: ObjectiveInputs): DataSet {
  if (data !== undefined) return data;
  throw new UsageError("Cannot teleport to this objective as it is measured on examples: add --data");
}

/**
 * Opens the loss on the examples of an objective.
 * @throws UsageError if there are none
 */
export async function openLossAt(inputs: ObjectiveInputs): Promise<LossAt> {
  const { architecture, network } = inputs;
  const { examples, batchSize, batchOf, signal } = inputs.options;
  const measuring = { examples, batchSize, signal };
  const surface = await openLossSurface(architecture, network, examplesOf(inputs), measuring);
  const { layout, dimension } = surface;
  return {
    dimension,
    batches: Math.ceil(surface.examples / surface.batchSize),
    join(weights) {
      const vector = new Float64Array(dimension);
      for (const { name, offset } of layout) vector.set(entry(weights, name, "weight"), offset);
      return vector;
    },
    split: (vector) =>
      new Map(
        layout.map(({ name, shape, offset }) => [name, vector.subarray(offset, offset + sizeOf(shape))]),
      ),
    loss: (place) => surface.lossAt(place, batchOf?.()),
    gradient: (place, out, batch) => surface.gradientAt(place, out, batch ?? batchOf?.()),
    release: () => surface.release(),
  };
}

/** Returns the length of a vector. */
export const lengthOf = (vector: Float64Array): number => Math.sqrt(dot(vector, vector));

/** Returns the inner product of two vectors. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Adds a multiple of a vector to another one: `a + factor b`. */
export const plus = (a: Float64Array, factor: number, b: Float64Array): Float64Array =>
  a.map((value, i) => value + factor * (b[i] as number));
