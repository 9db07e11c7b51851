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
  /** Elements of one row: what one output of a layer is computed from. */
  readonly rowLength: number;
  /** Key of the random numbers of this tensor of this network. */
  readonly key: StreamKey;
  /** Share of elements to keep, in `[0, 1]`. */
  readonly density: number;
  /** Value of a further parameter of this network. */
  parameter(name: string): number;
}

/** How one task vector is thinned out. */
export interface Thinning {
  /** What must be learned about the whole vector first. @defaultValue nothing */
  readonly surveyor?: Surveyor;
  /**
   * Returns the magnitudes that are kept in a block, if all of them are and no others; undefined if `thin`
   * must be called. @defaultValue always undefined
   */
  magnitudes?(begin: number, length: number): MagnitudeWindow | undefined;
  /** Sets the elements of a block to 0 that are dropped; `patterns` are their bits as f32. */
  thin(delta: Numbers, patterns: Int32Array, begin: number): void;
}

/** A rule that sets elements of task vectors to 0. */
export interface Sparsifier {
  /** Parameters besides the density, of numbers, one for each network. */
  readonly parameters: ParameterSpecs;
  /** Whether blocks must hold whole rows. @defaultValue false */
  readonly needsRows?: boolean;
  /**
   * Says which parameter of one network does not go together with its density, above 0 and below 1.
   * @defaultValue all values go together
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
