import { assertWholeOptions, resolveOptions, UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { checkScales, type TransferTaskOptions } from "../transfer/transfer-options.ts";
import { MAP_METHODS, type MapMethod } from "./map-options.ts";

/** Options of `transferAcrossWidths`. */
export interface TransferAcrossWidthsOptions extends Omit<TransferTaskOptions, "align"> {
  /** Way of finding the maps from the units of A to the units of B. @defaultValue "weights" */
  readonly maps?: MapMethod | undefined;
  /**
   * Whether hidden units, too, are mapped by a matrix with orthonormal rows, as Theseus does, instead of one
   * to one. @defaultValue false
   */
  readonly mixUnits?: boolean | undefined;
  /**
   * Whether weights that turn tokens, patches or positions into a residual stream get their part of the task,
   * too. On vision transformers the rest of a task does more without it. @defaultValue false
   */
  readonly moveEmbeddings?: boolean | undefined;
  /** Unlabelled examples on which activations are compared. @defaultValue the ones of `data` */
  readonly matchData?: DataSet | undefined;
  /** Number of examples to take from `matchData`, from the first. @defaultValue 1000 */
  readonly matchExamples?: number | undefined;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number | undefined;
  /** Seed of random maps, and of the inputs on which the maps are checked. @defaultValue 0 */
  readonly seed?: number | undefined;
}

/** Defaults of {@link TransferAcrossWidthsOptions}. */
const TRANSFER_ACROSS_WIDTHS_DEFAULTS: Required<TransferAcrossWidthsOptions> = {
  maps: "weights",
  mixUnits: false,
  moveEmbeddings: false,
  matchData: undefined,
  matchExamples: 1000,
  batchSize: 100,
  seed: 0,
  scale: 1,
  data: undefined,
  maskBySign: undefined,
  recalibrate: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Options with all scales as a list. */
export type ResolvedAcrossWidths = Omit<TransferTaskOptions, "align" | "scale"> & {
  readonly maps: MapMethod;
  readonly mixUnits: boolean;
  readonly moveEmbeddings: boolean;
  readonly matchData: DataSet | undefined;
  readonly matchExamples: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly scales: readonly number[];
  readonly data: DataSet | undefined;
  readonly recalibrate: DataSet | undefined;
  readonly maskBySign: DataSet | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: TransferTaskOptions["onProgress"];
};

/** Checks the options, and returns them with defaults, and all scales as a list. */
export function resolveAcrossWidths(options: TransferAcrossWidthsOptions): ResolvedAcrossWidths {
  const attempt = "transfer a task across widths";
  const { scale, ...rest } = resolveOptions(attempt, TRANSFER_ACROSS_WIDTHS_DEFAULTS, options);
  const { maps = "weights", matchExamples = 1000, batchSize = 100, seed = 0 } = rest;
  if (!MAP_METHODS.includes(maps)) {
    throw new UsageError(
      `Cannot ${attempt} as "maps" must be one of ${MAP_METHODS.join(", ")}: it is "${maps}"`,
    );
  }
  assertWholeOptions(
    attempt,
    { matchExamples, batchSize, seed },
    { matchExamples: 1, batchSize: 1, seed: 0 },
  );
  const { data, matchData = data, mixUnits = false, moveEmbeddings = false } = rest;
  const scales = checkScales(scale ?? 1, data);
  const { recalibrate, maskBySign, signal, onProgress } = rest;
  const examples = { data, matchData, recalibrate, maskBySign };
  const kinds = { maps, mixUnits, moveEmbeddings };
  return { ...examples, ...kinds, matchExamples, batchSize, seed, scales, signal, onProgress };
}
