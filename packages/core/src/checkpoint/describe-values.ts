import { createHash } from "@isthmus/platform";
import { entry } from "../invariant.ts";
import { streamTensor } from "../save/stream-tensor.ts";
import { toFloat64 } from "../tensor/convert.ts";
import type { TensorData } from "../tensor/dtype.ts";
import { addMoments, addPairs, emptyMoments, type PairSums } from "../tensor/kernels/moments.ts";
import { viewBytes } from "../tensor/tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { assertSameShapes } from "./compare-checkpoints.ts";

/** Statistics of the finite numbers of a tensor; NaN and infinities count only in `nonFinite`. */
export interface TensorStatistics {
  /** Smallest number; NaN if none is finite. */
  readonly min: number;
  /** Largest number; NaN if none is finite. */
  readonly max: number;
  /** Mean; NaN if no number is finite. */
  readonly mean: number;
  /** Standard deviation with divisor n, not n - 1; NaN if no number is finite. */
  readonly std: number;
  /** Euclidean norm. */
  readonly norm: number;
  /** Number of zeros. */
  readonly zeros: number;
  /** Number of NaN and infinite values. */
  readonly nonFinite: number;
}

/** Differences between the numbers of two tensors of one shape. */
export interface ValueDifference {
  /** Whether all numbers are equal. */
  readonly same: boolean;
  /** Largest absolute difference of two corresponding numbers; NaN if one of them is NaN. */
  readonly largest: number;
  /** Norm of the difference divided by the norm of the first tensor; 0 if the tensors are equal. */
  readonly relative: number;
  /** Cosine of the angle between both tensors; NaN if one of them is 0 or not finite. */
  readonly cosine: number;
}

/**
 * Measures statistics of the numbers of a tensor, which is read range by range.
 * @throws MismatchError if the checkpoint has no tensor of that name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor, measureTensor } from "@isthmus/core";
 *
 * const checkpoint = createCheckpoint({ bias: createTensor("f32", [4], Float32Array.of(0, 2, 2, 4)) });
 * const { mean, std, zeros } = await measureTensor(checkpoint, "bias");
 * assert.deepEqual([mean, std, zeros], [2, Math.SQRT2, 1]);
 * ```
 */
export async function measureTensor(
  checkpoint: Checkpoint,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<TensorStatistics> {
  const sums = emptyMoments();
  const { dtype } = await infoOf(checkpoint, name);
  for await (const data of streamOf(checkpoint, name, options.signal))
    addMoments(sums, toFloat64(data, dtype));
  const hasNone = sums.count === 0;
  return {
    min: hasNone ? Number.NaN : sums.min,
    max: hasNone ? Number.NaN : sums.max,
    mean: hasNone ? Number.NaN : sums.mean,
    std: hasNone ? Number.NaN : Math.sqrt(sums.spread / sums.count),
    norm: Math.sqrt(sums.squares),
    zeros: sums.zeros,
    nonFinite: sums.nonFinite,
  };
}

/**
 * Computes the SHA-256 of the elements of a tensor, in row-major order and as little-endian bytes of its
 * element type: the bytes that a safetensors file contains.
 * @returns 64 hexadecimal digits
 * @throws MismatchError if the checkpoint has no tensor of that name
 */
export async function hashTensor(
  checkpoint: Checkpoint,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  await infoOf(checkpoint, name);
  const hash = createHash("sha256");
  for await (const data of streamOf(checkpoint, name, options.signal)) hash.update(viewBytes(data));
  return hash.digest("hex");
}

/**
 * Measures how the numbers of two tensors of one name differ, even if their element types differ.
 * @throws MismatchError if a checkpoint has no tensor of that name, or their shapes differ
 */
export async function compareTensors(
  a: Checkpoint,
  b: Checkpoint,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ValueDifference> {
  const [left, right] = [await infoOf(a, name), await infoOf(b, name)];
  assertSameShapes(a, b, name);
  const sums: PairSums = { largest: 0, squares: 0, squaresOfA: 0, squaresOfB: 0, product: 0 };
  const other = streamOf(b, name, options.signal);
  for await (const data of streamOf(a, name, options.signal)) {
    const { value } = await other.next();
    addPairs(sums, toFloat64(data, left.dtype), toFloat64(value as TensorData, right.dtype));
  }
  await other.return(undefined);
  const distance = Math.sqrt(sums.squares);
  return {
    same: sums.largest === 0,
    largest: sums.largest,
    relative: distance === 0 ? 0 : distance / Math.sqrt(sums.squaresOfA),
    cosine: sums.product / Math.sqrt(sums.squaresOfA) / Math.sqrt(sums.squaresOfB),
  };
}

function streamOf(
  checkpoint: Checkpoint,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<TensorData> {
  const { dtype } = entry(checkpoint.tensors, name, "tensor");
  return streamTensor(checkpoint, { name, dtype, allowNonFinite: true, signal });
}

/** Returns the type and shape of a tensor, after an empty read that throws if the tensor does not exist. */
async function infoOf(checkpoint: Checkpoint, name: string) {
  await checkpoint.readRange(name, 0, 0);
  return entry(checkpoint.tensors, name, "tensor");
}
