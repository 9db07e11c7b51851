import {
  BATCH_SIZE_FIELD,
  type Checkpoint,
  type FieldsOf,
  listField,
  type ResolvedOf,
  resolveFields,
  seedField,
  wholeField,
} from "@isthmus/core";
import type { MeasurePairs, PairsOfNetworks } from "@isthmus/findings";
import type { DataSet, LossOption } from "@isthmus/graph";
import { type NormPolicy, normField } from "@isthmus/statistics";
import type { Symmetries } from "@isthmus/symmetry";
import { MANY_FIELDS, type ManyChoice } from "@isthmus/weight-matching";
import { pointsField } from "../barrier-fields.ts";

/** Progress of {@link mapNetworks}. */
export interface MapProgress {
  /** Estimated share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Work under way: the alignment of all networks, the pairs, or the ground. */
  readonly phase: "aligning" | "measuring" | "ground";
}

/** Options of the measurement of the pairs of a map. */
export interface MapPairsChoice {
  /**
   * Number of evenly spaced places between each pair of networks, both ends included, at least 3.
   * @defaultValue 5
   */
  readonly points?: number;
  /**
   * Treatment of batch norms of networks between a pair, and of the mean of all.
   * @defaultValue "recalibrate"
   */
  readonly statistics?: NormPolicy;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Pairs of networks of a map to be measured. */
export type MapPairs = PairsOfNetworks<ResolvedOf<MapPairsChoice>>;

/** Port that measures pairs of networks of a map on any machine and in any order, as `measurePairs` does. */
export type MeasureMapPairs = MeasurePairs<ResolvedOf<MapPairsChoice>>;

/** Options of the ground of a map. */
export interface MapGroundChoice {
  /**
   * Number of columns, and of rows, of losses that are measured on the plane through three of the aligned
   * networks; 0 for none.
   * @defaultValue 0
   */
  readonly ground?: number;
  /**
   * Three networks that the plane goes through, by their number in the order of the arguments, from 1; a star
   * comes last.
   * @defaultValue the first network, and the two with which it spans the largest triangle
   */
  readonly through?: readonly number[] | undefined;
}

/** Options of a map that are plain data. */
export interface MapChoice extends ManyChoice, MapPairsChoice, MapGroundChoice {
  /** Seed of the alignment; 0 on a command line without a seed. */
  readonly seed?: number;
}

/** Fields of {@link MapPairsChoice}. */
export const MAP_PAIRS_FIELDS: FieldsOf<MapPairsChoice> = {
  points: pointsField(5, "number of evenly spaced places for each pair"),
  statistics: normField("recalibrate"),
  batchSize: BATCH_SIZE_FIELD,
};

/** Largest number of columns of the ground: each place is a network that is evaluated. */
const MOST_COLUMNS = 100;

const GROUND_FIELDS: FieldsOf<MapGroundChoice> = {
  ground: wholeField({
    least: 0,
    most: MOST_COLUMNS,
    default: 0,
    keyed: "if-named",
    help: "measure losses at n by n places of the plane through three aligned networks; 0 for none",
  }),
  through: listField<number>(
    { type: "whole", least: 1, most: Number.MAX_SAFE_INTEGER },
    {
      placeholder: "<n,n,n>",
      keyed: "if-named",
      help: "with --ground: the numbers of these three, from 1 (default: the first, and the two that are farthest from it and each other)",
    },
  ),
};

/** Fields of {@link MapChoice}. */
export const MAP_FIELDS: FieldsOf<MapChoice> = {
  ...MANY_FIELDS,
  ...MAP_PAIRS_FIELDS,
  ...GROUND_FIELDS,
  seed: seedField("seed of the alignment"),
};

/**
 * Inputs of a map beside its plain options: a star, symmetries, data, a journal, a signal, progress, and the
 * function that measures pairs.
 */
interface MapRun extends LossOption {
  /**
   * Network that is aligned to the others and placed among them, but is not part of their mean, such as the
   * result of `findStar`.
   * @defaultValue none
   */
  readonly star?: Checkpoint | undefined;
  /** Symmetries of the graph, if known. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** File that stores alignments and measurements, so that a stopped map can go on. @defaultValue none */
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
  /** Seed of the alignment of all networks to each other. */
  readonly seed: number;
}

/** Words for the attempt in error messages. */
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
