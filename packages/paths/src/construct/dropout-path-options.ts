import { resolveOptions } from "@isthmus/core";
import { assertDropoutOptions, DROPOUT_DEFAULTS, type DropoutOptions } from "../drop/dropout-options.ts";

/** Progress of building a path. */
export interface BuildProgress {
  /** Share of the networks without some units that are there, in `[0, 1]`. */
  readonly done: number;
}

/** Options of `buildDropoutPath`. */
export interface BuildDropoutPathOptions extends Omit<DropoutOptions, "layers"> {
  /** Choices of the units that stay, of which the one with the lowest loss is taken. @defaultValue 3 */
  readonly trials?: number;
  readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
}

/** Defaults of {@link BuildDropoutPathOptions}. */
export const BUILD_DROPOUT_PATH_DEFAULTS: Required<BuildDropoutPathOptions> = {
  loss: DROPOUT_DEFAULTS.loss,
  choice: DROPOUT_DEFAULTS.choice,
  rescale: DROPOUT_DEFAULTS.rescale,
  statistics: DROPOUT_DEFAULTS.statistics,
  statisticsData: DROPOUT_DEFAULTS.statisticsData,
  batchSize: DROPOUT_DEFAULTS.batchSize,
  seed: DROPOUT_DEFAULTS.seed,
  signal: undefined,
  trials: 3,
  onProgress: undefined,
};

/**
 * Fills in defaults of building a path, and checks them.
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveBuildOptions(
  attempt: string,
  options: BuildDropoutPathOptions,
): Required<BuildDropoutPathOptions> {
  const resolved = resolveOptions(attempt, BUILD_DROPOUT_PATH_DEFAULTS, options);
  assertDropoutOptions(attempt, { ...resolved, layers: undefined });
  return resolved;
}
