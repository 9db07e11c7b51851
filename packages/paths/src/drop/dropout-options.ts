import { assertWholeOptions, OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import { NORM_POLICIES, type NormPolicy } from "@isthmus/statistics";
import { UNIT_CHOICES, type UnitChoice } from "./choose-units.ts";
import { RESCALINGS, type Rescaling } from "./fit-factor.ts";

/** How units are taken out, and networks without them are evaluated. */
export interface DropoutOptions extends LossOption {
  /** Which units stay. @defaultValue "random" */
  readonly choice?: UnitChoice;
  /**
   * How the units that stay are rescaled: by the inverse of their share, or, layer by layer, by the number
   * at which the loss is least. @defaultValue "inverse"
   */
  readonly rescale?: Rescaling;
  /** Names of layers that lose units, in which `*` matches any characters. @defaultValue all */
  readonly layers?: readonly string[] | undefined;
  /** What is done about batch norms of networks without some units. @defaultValue "keep" */
  readonly statistics?: NormPolicy;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Seed of the choice of units. @defaultValue 0 */
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link DropoutOptions}. */
export const DROPOUT_DEFAULTS: Required<DropoutOptions> = {
  loss: undefined,
  choice: "random",
  rescale: "inverse",
  layers: undefined,
  statistics: "keep",
  statisticsData: undefined,
  batchSize: 100,
  seed: 0,
  signal: undefined,
};

/** Progress of a measurement of networks without some units. */
export interface DropoutProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Networks evaluated so far, of `total`. */
  readonly completed: number;
  readonly total: number;
}

/** Options of `measureDropoutStability`. */
export interface MeasureDropoutStabilityOptions extends DropoutOptions {
  /** Shares of the units of each layer that stay, each above 0 and at most 1. @defaultValue [0.5] */
  readonly shares?: readonly number[];
  /** Choices of the units that stay, each from another seed. @defaultValue 3 */
  readonly trials?: number;
  /** File for the numbers of finished trials, from which a measurement goes on. @defaultValue none */
  readonly journalPath?: string | undefined;
  readonly onProgress?: ((progress: DropoutProgress) => void) | undefined;
}

/** Defaults of {@link MeasureDropoutStabilityOptions}. */
export const MEASURE_DROPOUT_STABILITY_DEFAULTS: Required<MeasureDropoutStabilityOptions> = {
  ...DROPOUT_DEFAULTS,
  shares: [0.5],
  trials: 3,
  journalPath: undefined,
  onProgress: undefined,
};

/**
 * Fills in defaults of a measurement of dropout stability, and checks all that can be checked before.
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveStabilityOptions(
  attempt: string,
  options: MeasureDropoutStabilityOptions,
): Required<MeasureDropoutStabilityOptions> {
  const resolved = resolveOptions(attempt, MEASURE_DROPOUT_STABILITY_DEFAULTS, options);
  assertWholeOptions(attempt, resolved, { trials: 1 });
  assertDropoutOptions(attempt, resolved);
  const { shares } = resolved;
  const wrong = shares.find((share) => !(share > 0 && share <= 1));
  if (wrong === undefined && shares.length > 0) return resolved;
  throw new OutOfRangeError(
    `Cannot ${attempt} as "shares" must be numbers above 0 and at most 1, one or more: they are [${shares.join(", ")}]`,
  );
}

/** @throws OutOfRangeError if an option is out of range */
export function assertDropoutOptions(attempt: string, options: Required<DropoutOptions>): void {
  assertWholeOptions(attempt, options, { batchSize: 1, seed: 0 });
  const choices = [
    ["choice", options.choice, UNIT_CHOICES],
    ["rescale", options.rescale, RESCALINGS],
    ["statistics", options.statistics, NORM_POLICIES],
  ] as const;
  for (const [name, value, values] of choices) {
    if ((values as readonly string[]).includes(value)) continue;
    throw new OutOfRangeError(
      `Cannot ${attempt} as "${name}" must be one of ${values.join(", ")}: it is ${String(value)}`,
    );
  }
}
