import type { DataSet } from "@isthmus/graph";
import type { ExamplesProgress } from "@isthmus/statistics";

/**
 * Ways of finding maps between networks of different widths: "activations" finds all by the activations of
 * both on the same inputs; "weights" finds streams so, and then heads and hidden units by the weights of both
 * in the coordinates of the target's stream. "random" and "padded" are controls that look at neither network:
 * random matrices and pairs, and the first units of one to the first units of the other.
 */
export const MAP_METHODS = ["activations", "weights", "random", "padded"] as const;

/** One of {@link MAP_METHODS}. */
export type MapMethod = (typeof MAP_METHODS)[number];

/** Options of `findMaps`, resolved. */
export interface FoundMapsOptions {
  /** Way of finding maps. */
  readonly maps: MapMethod;
  /** Whether hidden units, too, are mapped by a matrix with orthonormal rows, as in the paper. */
  readonly mixUnits: boolean;
  /** Unlabelled examples; undefined for controls. */
  readonly data: DataSet | undefined;
  /** Number of examples to take from `data`, from the first. */
  readonly examples: number;
  /** Number of examples in one engine call. */
  readonly batchSize: number;
  /** Seed of random maps, and of the inputs of the proof. */
  readonly seed: number;
  /** Signal that stops the search. */
  readonly signal: AbortSignal | undefined;
  /** Called as examples are run, and as units are matched by weights. */
  readonly onProgress: ((progress: Pick<ExamplesProgress, "done">) => void) | undefined;
}
