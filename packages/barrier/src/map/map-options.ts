import { assertWholeOptions, type Checkpoint, OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import { NORM_POLICIES, type NormPolicy } from "@isthmus/statistics";
import type { Symmetries } from "@isthmus/symmetry";
import { MATCH_MANY_DEFAULTS, type ManyMethod } from "@isthmus/weight-matching";
import type { MeasurePairs } from "./measure-pairs-port.ts";

/** Progress of {@link mapNetworks}. */
export interface MapProgress {
  /** Share of the work that is done, in `[0, 1]`, an estimate. */
  readonly done: number;
  readonly phase: "aligning" | "measuring";
}

/** Options of {@link mapNetworks}. */
export interface MapNetworksOptions extends LossOption {
  /** Seed of the alignment. */
  readonly seed: number;
  /**
   * A network that is aligned to the others and placed among them, but is no part of their mean, such as one
   * that `findStar` found. @defaultValue none
   */
  readonly star?: Checkpoint | undefined;
  /** How the networks are aligned, see `matchMany`. @defaultValue "best" */
  readonly many?: ManyMethod;
  /** Searches for each pair that is matched, at least 1. @defaultValue 2 */
  readonly restarts?: number;
  /** Bytes that matching may hold. @defaultValue no limit */
  readonly memory?: number | undefined;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
  /** Evenly spaced places of each pair, both ends included, at least 3. @defaultValue 5 */
  readonly points?: number;
  /** What is done about batch norms between networks, and of their mean. @defaultValue "recalibrate" */
  readonly statistics?: NormPolicy;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** File that keeps what was found and measured, to go on from after a stop. @defaultValue none */
  readonly journalPath?: string | undefined;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /**
   * Measures the pairs, for example on other machines. @defaultValue they are measured here, one after the
   * other
   */
  readonly measurePairs?: MeasurePairs | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: MapProgress) => void) | undefined;
}

/** Defaults of {@link mapNetworks}; the seed has none. */
export const MAP_NETWORKS_DEFAULTS: Required<Omit<MapNetworksOptions, "seed">> = {
  loss: undefined,
  star: undefined,
  many: MATCH_MANY_DEFAULTS.many,
  restarts: MATCH_MANY_DEFAULTS.restarts,
  memory: undefined,
  symmetries: undefined,
  points: 5,
  statistics: "recalibrate",
  statisticsData: undefined,
  journalPath: undefined,
  batchSize: 100,
  measurePairs: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Options with all defaults filled in. */
export type ResolvedMapOptions = Required<MapNetworksOptions>;

/**
 * Fills in the defaults of options and checks their ranges.
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveMapOptions({ seed, ...others }: MapNetworksOptions): ResolvedMapOptions {
  const resolved = { ...resolveOptions("map networks", MAP_NETWORKS_DEFAULTS, others, ["seed"]), seed };
  assertWholeOptions("map networks", resolved, { seed: 0, points: 3, restarts: 1, batchSize: 1 });
  const { statistics } = resolved;
  if (NORM_POLICIES.includes(statistics)) return resolved;
  throw new OutOfRangeError(
    `Cannot map networks as "statistics" must be one of ${NORM_POLICIES.join(", ")}: it is ${statistics}`,
  );
}
