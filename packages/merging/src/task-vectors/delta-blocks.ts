import { at, convertInto, type Elements } from "@isthmus/core";
import { type Numbers, patternsOf, subtractInto } from "../kernels/task-vectors.ts";

/** Elements that are computed at a time, so that the numbers of a few networks stay in the cache. */
export const BLOCK: number = 1 << 14;

/** The task vectors of one block of a tensor; arrays are only valid during the call. */
export interface DeltaBlock {
  /** Position of the first element in the tensor. */
  readonly begin: number;
  readonly base: Numbers;
  readonly networks: readonly Numbers[];
  /** How far each network is from the base. */
  readonly deltas: readonly Numbers[];
  /** Bit patterns of the deltas, rounded to f32: of f32 deltas in the same memory. */
  readonly patterns: readonly Int32Array[];
}

/** Stored elements of a range of a tensor in the networks and in the base. */
export interface StoredRange {
  readonly begin: number;
  readonly parts: readonly Elements[];
  readonly base: Elements;
}

/**
 * Calls a function with the task vectors of a range, block by block.
 * @param length - elements of a block; the last one may be shorter
 */
export function forEachDeltas(
  { begin, parts, base }: StoredRange,
  length: number,
  use: (block: DeltaBlock) => void,
): void {
  const total = base.data.length;
  const isWide = [...parts, base].some(({ dtype }) => dtype === "f64");
  const allocate = () => allocateNumbers(isWide, Math.min(length, total));
  const buffers = { base: allocate(), networks: parts.map(allocate), deltas: parts.map(allocate) };
  const rounded = isWide ? parts.map(() => new Float32Array(Math.min(length, total))) : undefined;
  for (let from = 0; from < total; from += length) {
    const until = Math.min(from + length, total);
    const count = until - from;
    const baseBlock = widened(base, from, until, buffers.base);
    const networks = parts.map((part, k) => widened(part, from, until, at(buffers.networks, k, "network")));
    const deltas = networks.map((network, k) => {
      const delta = at(buffers.deltas, k, "network").subarray(0, count);
      subtractInto(network, baseBlock, delta);
      return delta;
    });
    const patterns = deltas.map((delta, k) => roundedPatterns(delta, rounded && at(rounded, k, "network")));
    use({ begin: begin + from, base: baseBlock, networks, deltas, patterns });
  }
}

/** Allocates numbers of the class in which a tensor is merged. */
export function allocateNumbers(isWide: boolean, length: number): Numbers {
  return isWide ? new Float64Array(length) : new Float32Array(length);
}

/**
 * Returns a range of stored elements as numbers of the class of `buffer`: themselves where they are that
 * already.
 */
function widened({ dtype, data }: Elements, from: number, until: number, buffer: Numbers): Numbers {
  const stored = data.subarray(from, until);
  if (stored instanceof Float32Array && buffer instanceof Float32Array) return stored;
  if (stored instanceof Float64Array) return stored;
  const out = buffer.subarray(0, until - from);
  convertInto({ dtype, data: stored }, { dtype: out instanceof Float64Array ? "f64" : "f32", data: out });
  return out;
}

function roundedPatterns(delta: Numbers, rounded: Float32Array | undefined): Int32Array {
  if (delta instanceof Float32Array) return patternsOf(delta);
  const buffer = rounded ?? new Float32Array(delta.length);
  buffer.set(delta);
  return new Int32Array(buffer.buffer, buffer.byteOffset, delta.length);
}
