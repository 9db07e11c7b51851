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
  const buffers = takeBuffers(isWide, parts.length, Math.min(length, total));
  const { rounded } = buffers;
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
  lent = buffers;
}

/** Memory in which blocks are computed. */
interface Buffers {
  readonly isWide: boolean;
  readonly length: number;
  readonly base: Numbers;
  readonly networks: readonly Numbers[];
  readonly deltas: readonly Numbers[];
  /** Differences rounded to f32, where they are in f64. */
  readonly rounded: readonly Float32Array[] | undefined;
}

/** Buffers that were used last and are free: making new ones for each range would keep the collector busy. */
let lent: Buffers | undefined;

function takeBuffers(isWide: boolean, count: number, length: number): Buffers {
  const last = lent;
  lent = undefined;
  if (last?.isWide === isWide && last.networks.length === count && last.length === length) return last;
  const allocate = () => allocateNumbers(isWide, length);
  const ofNetworks = <T>(create: () => T) => Array.from({ length: count }, create);
  const rounded = isWide ? ofNetworks(() => new Float32Array(length)) : undefined;
  return {
    isWide,
    length,
    base: allocate(),
    networks: ofNetworks(allocate),
    deltas: ofNetworks(allocate),
    rounded,
  };
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
