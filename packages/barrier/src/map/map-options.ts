import {
  BATCH_SIZE_FIELD,
  type Checkpoint,
  type FieldsOf,
  type ResolvedOf,
  resolveFields,
  seedField,
} from "@isthmus/core";
import type { MeasurePairs, PairsOfNetworks } from "@isthmus/findings";
import type { DataSet, LossOption } from "@isthmus/graph";
import { type NormPolicy, normField } from "@isthmus/statistics";
import type { Symmetries } from "@isthmus/symmetry";
import { MANY_FIELDS, type ManyChoice } from "@isthmus/weight-matching";
import { pointsField } from "../barrier-fields.ts";

/** Progress of {@link mapNetworks}. */
export interface MapProgress {
  /** Share of the work that is done, in `[0, 1]`, an estimate. */
  readonly done: number;
  readonly phase: "aligning" | "measuring";
}

/** Options that the pairs of a map are measured with. */
export interface MapPairsChoice {
  /** Evenly spaced places of each pair, both ends included, at least 3. @defaultValue 5 */
  readonly points?: number;
  /** What is done about batch norms between networks, and of their mean. @defaultValue "recalibrate" */
  readonly statistics?: NormPolicy;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Pairs of networks of a map to be measured. */
export type MapPairs = PairsOfNetworks<ResolvedOf<MapPairsChoice>>;

/** A port: measures pairs of networks of a map somewhere, in any order, as `measurePairs` does. */
export type MeasureMapPairs = MeasurePairs<ResolvedOf<MapPairsChoice>>;

/** Options of a map that are plain data. */
export interface MapChoice extends ManyChoice, MapPairsChoice {
  /** Seed of the alignment; a command line that names none has 0. */
  readonly seed?: number;
}

/** Fields of {@link MapPairsChoice}. */
export const MAP_PAIRS_FIELDS: FieldsOf<MapPairsChoice> = {
  points: pointsField(5, "number of evenly spaced places for each pair"),
  statistics: normField("recalibrate"),
  batchSize: BATCH_SIZE_FIELD,
};

/** Fields of {@link MapChoice}. */
export const MAP_FIELDS: FieldsOf<MapChoice> = {
  ...MANY_FIELDS,
  ...MAP_PAIRS_FIELDS,
  seed: seedField("seed of the alignment"),
};

/** The ports of a map: a journal, a signal, progress, and what measures its pairs. */
interface MapRun extends LossOption {
  /**
   * A network that is aligned to the others and placed among them, but is no part of their mean, such as one
   * that `findStar` found. @defaultValue none
   */
  readonly star?: Checkpoint | undefined;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** File that keeps what was found and measured, to go on from after a stop. @defaultValue none */
  readonly journalPath?: string | undefined;
  /**
   * Measures the pairs, for example on other machines. @defaultValue they are measured here, one after the
   * other
   */
  readonly measurePairs?: MeasureMapPairs | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: MapProgress) => void) | undefined;
}

/** Options of {@link mapNetworks}. */
export interface MapNetworksOptions extends MapChoice, MapRun {
  readonly seed: number;
}

/** Names the attempt for messages. */
export const MAP_ATTEMPT = "map networks";

const RUN_DEFAULTS: Required<MapRun> = {
  loss: undefined,
  star: undefined,
  symmetries: undefined,
  statisticsData: undefined,
  journalPath: undefined,
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
export function resolveMapOptions(options: MapNetworksOptions): ResolvedMapOptions {
  return resolveFields(MAP_ATTEMPT, MAP_FIELDS, options, RUN_DEFAULTS);
}
