import type { MagnitudeWindow } from "../kernels/magnitudes.ts";
import type { Numbers } from "../kernels/task-vectors.ts";
import type { ParameterConflict } from "../merge-method.ts";
import type { ParameterSpecs } from "../parameters.ts";
import type { StreamKey } from "../random/stream-key.ts";
import type { Surveyor } from "../selection/surveyor.ts";

/** The task vector of one network that is thinned out. */
export interface SparsifiedVector {
  /** Name of the tensor, for messages. */
  readonly tensor: string;
  /** Number of elements. */
  readonly size: number;
  /** Number of elements of one row, the weights of one output of a layer. */
  readonly rowLength: number;
  /** Key of the random numbers for this tensor of this network. */
  readonly key: StreamKey;
  /** Share of elements to keep, in `[0, 1]`. */
  readonly density: number;
  /** Value of a further parameter of this network. */
  parameter(name: string): number;
}

/** Thinning of one task vector. */
export interface Thinning {
  /** Surveyor that must examine the whole vector first. @defaultValue none */
  readonly surveyor?: Surveyor;
  /**
   * Returns the window of magnitudes that are kept in a block, if it decides for all elements; undefined if
   * `thin` must be called. @defaultValue always undefined
   */
  magnitudes?(begin: number, length: number): MagnitudeWindow | undefined;
  /** Sets the dropped elements of a block to 0; `patterns` has the bits of the elements as f32. */
  thin(delta: Numbers, patterns: Int32Array, begin: number): void;
}

/** A rule that sets elements of task vectors to 0. */
export interface Sparsifier {
  /** Parameters in addition to the density: numbers, one for each network. */
  readonly parameters: ParameterSpecs;
  /** Whether blocks must hold whole rows. @defaultValue false */
  readonly needsRows?: boolean;
  /**
   * Finds a parameter of one network that contradicts its density, which is above 0 and below 1.
   * @defaultValue undefined for all values
   */
  findConflict?(
    vector: Pick<SparsifiedVector, "density" | "parameter">,
  ): Omit<ParameterConflict, "network"> | undefined;
  /** Prepares the thinning of one vector whose density is above 0 and below 1. */
  prepare(vector: SparsifiedVector): Thinning;
}

/**
 * Prepares the thinning of one task vector.
 * @returns undefined if all elements are kept
 */
export function prepareThinning(
  sparsifier: Sparsifier | undefined,
  vector: SparsifiedVector,
): Thinning | undefined {
  if (sparsifier === undefined || vector.density >= 1 || vector.size === 0) return undefined;
  if (vector.density <= 0) return { thin: (delta) => void delta.fill(0) };
  return sparsifier.prepare(vector);
}
