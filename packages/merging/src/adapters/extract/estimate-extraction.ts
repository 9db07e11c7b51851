import { byteLengthOf, type Checkpoint, DTYPES, resolveOptions, sumOf } from "@isthmus/core";
import { PROCESS_BYTES } from "../../executor/estimate-merge.ts";
import { moduleOf } from "../module-of.ts";
import { DEFAULT_RANK } from "./choose-ranks.ts";
import { factorBytes } from "./compute-factors.ts";
import { exactSideOf, SAVE_EXTRACTED_DEFAULTS, type SaveExtractedOptions } from "./extract-options.ts";
import { leastBytes, needIfAllChanged } from "./file-need.ts";
import { factorType } from "./plan-extraction.ts";
import { prepareTensors } from "./prepare-tensors.ts";
import type { ExtractedTensor } from "./tensor-roles.ts";

/** A module that is stored as factors if it changed. */
export interface EstimatedModule {
  /** Name of the module. */
  readonly name: string;
  /** Shape of the weight in the file. */
  readonly shape: readonly number[];
  /** Largest rank that its factors can get. */
  readonly rank: number;
}

/** Estimate of an extraction, from the names and shapes of tensors alone. */
export interface ExtractionEstimate {
  /** Modules that are stored as factors where they changed. */
  readonly modules: readonly EstimatedModule[];
  /** Names of tensors that are stored whole where they changed. */
  readonly whole: readonly string[];
  /** Bytes that are read of both networks together; a tensor that is read twice counts twice. */
  readonly readBytes: number;
  /** Most bytes that are written: if every tensor changed. */
  readonly writtenBytes: number;
  /** Most memory that the process will take, in bytes. */
  readonly peakBytes: number;
  /** Least `bytes` with which an adapter can be extracted if every tensor changed. */
  readonly leastBytes: number;
}

/**
 * Estimates an extraction before any tensor is read: which modules get factors, and at most how much is
 * written. Tensors that did not change are left out later, so that less is written.
 * @throws the same errors as `saveExtractedAdapter` for patterns, names, shapes, ranks and memory, and for
 *   bytes that are too few for any tensor
 */
export function estimateExtraction(
  base: Checkpoint,
  tuned: Checkpoint,
  options: SaveExtractedOptions = {},
): ExtractionEstimate {
  const resolved = resolveOptions("extract an adapter", SAVE_EXTRACTED_DEFAULTS, options);
  const { rank, energy, bytes, most, dtype, measure } = resolved;
  const isSurveyed = energy !== undefined || bytes !== undefined;
  const exact = exactSideOf(resolved);
  const pair = { base, tuned };
  const tensors = prepareTensors(pair, resolved);
  const weights = tensors.filter(({ role }) => role === "factors");
  const whole = tensors.filter(({ role }) => role === "whole");
  const rankOf = ({ info }: ExtractedTensor) =>
    Math.min(isSurveyed ? most : (rank ?? DEFAULT_RANK), ...info.shape);
  const widths = (tensor: ExtractedTensor) => DTYPES[factorType(tensor.info.dtype, dtype)].bytes;
  const ofFactors = sumOf(
    weights.map((tensor) => sumOf(tensor.info.shape) * rankOf(tensor) * widths(tensor)),
  );
  const ofWhole = sumOf(whole.map(({ info }) => byteLengthOf(info)));
  const bytesOf = (list: readonly ExtractedTensor[]) => sumOf(list.map(({ info }) => byteLengthOf(info)));
  // Compared once, again for singular values, for factors, and for what these leave.
  const readings = 2 + (isSurveyed ? 1 : 0) + (measure ? 1 : 0);
  return {
    modules: weights.map((tensor) => ({
      name: moduleOf(tensor.name),
      shape: tensor.info.shape,
      rank: rankOf(tensor),
    })),
    whole: whole.map(({ name }) => name),
    leastBytes: leastBytes(needIfAllChanged(pair, tensors, resolved)),
    readBytes: 2 * (readings * bytesOf(weights) + bytesOf(whole)) + bytesOf(whole),
    writtenBytes: Math.min(bytes ?? Number.POSITIVE_INFINITY, ofFactors + ofWhole),
    peakBytes:
      PROCESS_BYTES +
      weights.reduce(
        (peak, tensor) => Math.max(peak, factorBytes(tensor.info.shape, rankOf(tensor), exact)),
        0,
      ),
  };
}
