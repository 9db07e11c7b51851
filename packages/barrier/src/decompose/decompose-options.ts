import { assertWholeOptions, OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import { STATISTICS_CHOICES, type StatisticsChoice } from "@isthmus/statistics";
import { GROUPINGS, type Grouping, type LayerPattern } from "../layers/group-layers.ts";

/** What is attempted, for messages. */
export const DECOMPOSE = "take a barrier apart";

/** Progress of `decomposeBarrier`. */
export interface DecomposeProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Networks evaluated so far, of `total`. */
  readonly completed: number;
  readonly total: number;
}

/** Options of `decomposeBarrier`. */
export interface DecomposeBarrierOptions extends LossOption {
  /** What the parts are: layers, or blocks of them such as `blocks.0`. @defaultValue "layer" */
  readonly by?: Grouping;
  /** Parts to form first; other tensors are in the part of their layer or block. @defaultValue none */
  readonly groups?: readonly LayerPattern[];
  /** Number of examples of highest excess to list, at least 0. @defaultValue 10 */
  readonly worst?: number;
  /**
   * What is done about the statistics of activations of all networks but A and B; not `repair-closed-form`.
   * @defaultValue "auto": batch norms are measured again, networks without them are not changed
   */
  readonly statistics?: StatisticsChoice;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /**
   * Take the excess apart that is left with a softmax temperature fitted to each network, as `measureBarrier`
   * does. @defaultValue false
   */
  readonly temperature?: boolean;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DecomposeProgress) => void) | undefined;
}

/** Defaults of `decomposeBarrier`. */
export const DECOMPOSE_BARRIER_DEFAULTS: Required<DecomposeBarrierOptions> = {
  loss: undefined,
  by: "layer",
  groups: [],
  worst: 10,
  statistics: "auto",
  statisticsData: undefined,
  temperature: false,
  batchSize: 100,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Fills in the defaults of options and checks their ranges.
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveDecomposeOptions(options: DecomposeBarrierOptions): Required<DecomposeBarrierOptions> {
  const resolved = resolveOptions(DECOMPOSE, DECOMPOSE_BARRIER_DEFAULTS, options);
  assertWholeOptions(DECOMPOSE, resolved, { worst: 0, batchSize: 1 });
  const { by, statistics } = resolved;
  if (!GROUPINGS.includes(by)) fail("by", GROUPINGS, by);
  // Its closed form holds where all layers are at one place between A and B.
  const policies = STATISTICS_CHOICES.filter((policy) => policy !== "repair-closed-form");
  if (!policies.some((policy) => policy === statistics)) fail("statistics", policies, statistics);
  return resolved;
}

function fail(option: string, choices: readonly string[], value: string): never {
  throw new OutOfRangeError(
    `Cannot ${DECOMPOSE} as "${option}" must be one of ${choices.join(", ")}: it is ${value}`,
  );
}
