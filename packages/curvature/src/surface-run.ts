import { type FieldsOf, seedField } from "@isthmus/core";

/** Options of one measurement of a loss surface that are not plain data, and its seed. */
export interface SurfaceRunOptions {
  /** Seed of the noise and of the order of batches. @defaultValue 0 */
  readonly seed?: number;
  /** Aborts the measurement. */
  readonly signal?: AbortSignal | undefined;
  /** Called as the measurement goes on with the share of the work that is done. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Field of the seed of {@link SurfaceRunOptions}. */
export const SURFACE_SEED_FIELD: FieldsOf<Pick<SurfaceRunOptions, "seed">> = {
  seed: seedField("seed of the noise and of the order of batches"),
};

/** Defaults of {@link SurfaceRunOptions} beside the seed. */
export const SURFACE_RUN_DEFAULTS: Required<Omit<SurfaceRunOptions, "seed">> = {
  signal: undefined,
  onProgress: undefined,
};
