import { at, DTYPES, OutOfRangeError } from "@isthmus/core";
import type { ResolvedExtraction } from "./extract-options.ts";
import { placeWhole } from "./place-whole.ts";
import { factorType, wholeBytes } from "./plan-extraction.ts";
import type { Pair } from "./read-difference.ts";
import type { ExtractedTensor } from "./tensor-roles.ts";

/**
 * Bytes of a file of safetensors beside its tensors: metadata, each input in it, and the entry of each tensor
 * but its name.
 */
const FILE_BYTES = 2048;
const INPUT_BYTES = 96;
const ENTRY_BYTES = 128;

/** Tensors that the file of an adapter holds. */
export interface FileTensors {
  /** All tensors of the fine-tune that are not excluded. */
  readonly tensors: readonly ExtractedTensor[];
  /** Weights that are stored as factors. */
  readonly weights: readonly ExtractedTensor[];
  /** Names of tensors that changed and are stored whole. */
  readonly whole: readonly string[];
}

/** Bytes that the file of an adapter needs at least. */
export interface FileNeed {
  /** Number of changed tensors that are stored whole. */
  readonly count: number;
  /** Bytes of the tensors that are stored whole. */
  readonly ofWhole: number;
  /** Bytes of names, shapes and metadata. */
  readonly ofHeader: number;
  /** Bytes of one rank of the weight for which a rank takes least; 0 without weights. */
  readonly ofRank: number;
}

/** Returns the bytes that each rank of a weight takes: a row of `A` and a column of `B`. */
export function bytesPerRank(
  { info: { shape, dtype } }: ExtractedTensor,
  chosen: ResolvedExtraction["dtype"],
): number {
  const [rows, columns] = [at(shape, 0, "extent"), at(shape, 1, "extent")];
  return (rows + columns) * DTYPES[factorType(dtype, chosen)].bytes;
}

/** Computes what the file of an adapter needs at least, from names and shapes. */
export function needOfFile(
  pair: Pair,
  { tensors, weights, whole }: FileTensors,
  dtype: ResolvedExtraction["dtype"],
): FileNeed {
  const { tuned } = pair;
  const factored = new Set(weights.map(({ name }) => name));
  const places = placeWhole(tuned, tensors, { changed: whole, factored });
  const entries = [...places.names.keys(), ...factored, ...factored];
  const perRank = weights.map((tensor) => bytesPerRank(tensor, dtype));
  return {
    count: whole.length,
    ofWhole: wholeBytes(tuned, places, dtype),
    ofHeader: emptyFile(pair) + entries.reduce((sum, name) => sum + name.length + ENTRY_BYTES, 0),
    ofRank: perRank.length === 0 ? 0 : perRank.reduce((least, one) => Math.min(least, one)),
  };
}

/** Computes what the file of an adapter needs at least if every tensor changed. */
export function needIfAllChanged(
  pair: Pair,
  tensors: readonly ExtractedTensor[],
  { dtype }: Pick<ResolvedExtraction, "dtype">,
): FileNeed {
  const weights = tensors.filter(({ role }) => role === "factors");
  const whole = tensors.filter(({ role }) => role === "whole").map(({ name }) => name);
  return needOfFile(pair, { tensors, weights, whole }, dtype);
}

/** Returns the bytes of a file without tensors. */
function emptyFile({ tuned, base }: Pair): number {
  return FILE_BYTES + INPUT_BYTES * (tuned.files.length + base.files.length);
}

/** Adds the parts of a need. */
export function leastBytes({ ofWhole, ofHeader, ofRank }: FileNeed): number {
  return ofWhole + ofHeader + ofRank;
}

/**
 * Checks that a number of bytes is enough for the tensors that are stored whole and one rank.
 * @throws OutOfRangeError if it is not; the message states the need
 */
export function assertFileFits(bytes: number, need: FileNeed): void {
  if (bytes >= leastBytes(need)) return;
  throw new OutOfRangeError(
    `Cannot extract an adapter of ${bytes} bytes as ${need.count} tensors that are stored whole take ${need.ofWhole}, names take ${need.ofHeader}, and one rank of one weight at least ${need.ofRank}: allow ${leastBytes(need)} or more, or store modules as factors, or exclude some`,
  );
}

/**
 * Checks, before tensors are compared, that a number of bytes is enough for a file without tensors.
 * @param need - need of the adapter if every tensor changed
 * @throws OutOfRangeError if it is not
 */
export function assertFileBegins(bytes: number, pair: Pair, need: FileNeed): void {
  const least = emptyFile(pair);
  if (bytes >= least) return;
  throw new OutOfRangeError(
    `Cannot extract an adapter of ${bytes} bytes as its file takes at least ${least} without any tensor: allow more; ${leastBytes(need)} are enough whatever changed`,
  );
}
