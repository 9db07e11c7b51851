import { at, byteLengthOf, type Checkpoint, DTYPES, resolveOptions, sizeOf, sumOf } from "@isthmus/core";
import { createMatrix, type MatrixProducts } from "@isthmus/linear-algebra";
import { PROCESS_BYTES } from "../../executor/estimate-merge.ts";
import { assertRankChoice, DEFAULT_RANK } from "./choose-ranks.ts";
import { factorBytes } from "./compute-factors.ts";
import { exactSideOf, SAVE_EXTRACTED_DEFAULTS, type SaveExtractedOptions } from "./extract-options.ts";
import { factorType } from "./plan-extraction.ts";
import { chooseRoles, type ExtractedTensor, moduleOf } from "./tensor-roles.ts";

/** A module that is stored as factors if it changed. */
export interface EstimatedModule {
  /** Name of the module. */
  readonly name: string;
  /** Shape of its weight as it is stored. */
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
  /** Bytes of tensors that are read, both networks together, as often as they are read. */
  readonly readBytes: number;
  /** Most bytes that are written: if every tensor changed. */
  readonly writtenBytes: number;
  /** Most memory that the process will take, in bytes. */
  readonly peakBytes: number;
  /** Multiplications of numbers in products of matrices, from which the time follows. */
  readonly multiplications: number;
}

/** Products of a weight with a thin matrix that a search for singular values takes. */
const SEARCH_PRODUCTS = 12;

/** Directions that are searched for beyond the rank. */
const SPARE = 12;

/**
 * Estimates an extraction before any tensor is read: which modules get factors, and at most how much is
 * written and computed. Tensors that did not change are left out later, so that less is written.
 * @throws the same errors as `saveExtractedAdapter` for names, shapes and ranks
 */
export function estimateExtraction(
  base: Checkpoint,
  tuned: Checkpoint,
  options: SaveExtractedOptions = {},
): ExtractionEstimate {
  const resolved = resolveOptions("extract an adapter", SAVE_EXTRACTED_DEFAULTS, options);
  assertRankChoice(resolved, resolved.most);
  const { rank, energy, bytes, most, dtype, measure } = resolved;
  const isSurveyed = energy !== undefined || bytes !== undefined;
  const exact = exactSideOf(resolved);
  const tensors = chooseRoles(tuned, base, resolved);
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
    readBytes: 2 * (readings * bytesOf(weights) + bytesOf(whole)) + bytesOf(whole),
    writtenBytes: Math.min(bytes ?? Number.POSITIVE_INFINITY, ofFactors + ofWhole),
    peakBytes:
      PROCESS_BYTES +
      weights.reduce(
        (peak, tensor) => Math.max(peak, factorBytes(tensor.info.shape, rankOf(tensor), exact)),
        0,
      ),
    multiplications: sumOf(
      weights.map(({ info: { shape } }) => {
        const size = sizeOf(shape);
        const short = Math.min(at(shape, 0, "extent"), at(shape, 1, "extent"));
        const width = Math.min(short, (isSurveyed ? DEFAULT_RANK : (rank ?? DEFAULT_RANK)) + SPARE);
        const search = short <= exact ? size * short + 4 * short ** 3 : SEARCH_PRODUCTS * size * width;
        return search * (isSurveyed ? 2 : 1) + (measure ? size * width : 0);
      }),
    ),
  };
}

/** Extents of the product by which the speed of a machine is found. */
const [ROWS, THIN] = [1024, 32];

/** Estimates the seconds of a number of multiplications, from the time of one product. */
export async function estimateSeconds(multiplications: number, products: MatrixProducts): Promise<number> {
  const matrix = createMatrix(ROWS, ROWS, new Float32Array(ROWS * ROWS).fill(1));
  const thin = createMatrix(ROWS, THIN, new Float32Array(ROWS * THIN).fill(1));
  await products.multiply(matrix, thin);
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    await products.multiply(matrix, thin);
    times.push(performance.now() - began);
  }
  const [, median] = [...times].sort((a, b) => a - b);
  return (multiplications * (median ?? at(times, 0, "time"))) / (ROWS * ROWS * THIN) / 1000;
}
