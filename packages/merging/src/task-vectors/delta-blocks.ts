import { at, convertInto, type Elements } from "@isthmus/core";
import { allocateNumbers, withBlockMemory } from "../kernels/block-memory.ts";
import { type Numbers, patternsOf } from "../kernels/task-vectors.ts";
import { subtractFromBfloat, subtractInto } from "../kernels/vectors.ts";

/** Elements that are computed at a time, so that the numbers of a few networks stay in the cache. */
export const BLOCK: number = 1 << 13;

/** The task vectors of one block of a tensor; arrays are only valid during the call. */
export interface DeltaBlock {
  /** Position of the first element in the tensor. */
  readonly begin: number;
  readonly base: Numbers;
  /** Returns the numbers of a network. */
  network(k: number): Numbers;
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
 * Calls a function with the task vectors of a range, block by block. What it allocates by
 * `allocateNumbers` is valid during the call.
 * @param length - elements of a block; the last one may be shorter
 */
export function forEachDeltas(
  { begin, parts, base }: StoredRange,
  length: number,
  use: (block: DeltaBlock) => void,
): void {
  withBlockMemory(() => {
    const total = base.data.length;
    const isWide = [...parts, base].some(({ dtype }) => dtype === "f64");
    let buffers = allocateBuffers(isWide, parts.length, Math.min(length, total));
    for (let from = 0; from < total; from += length) {
      const until = Math.min(from + length, total);
      if (until - from < buffers.base.length) buffers = shortened(buffers, until - from);
      const { deltas, patterns, rounded } = buffers;
      const baseBlock = widened(base, from, until, buffers.base);
      for (let k = 0; k < parts.length; k++) {
        const delta = at(deltas, k, "network");
        subtractStored(at(parts, k, "network"), from, baseBlock, delta);
        rounded?.[k]?.set(delta);
      }
      const network = (k: number): Numbers =>
        widened(at(parts, k, "network"), from, until, allocateNumbers(isWide, until - from));
      withBlockMemory(() => use({ begin: begin + from, base: baseBlock, network, deltas, patterns }));
    }
  });
}

/** Memory in which blocks are computed. */
interface Buffers {
  readonly base: Numbers;
  readonly deltas: readonly Numbers[];
  /** Differences rounded to f32, where they are in f64. */
  readonly rounded: readonly Float32Array[] | undefined;
  readonly patterns: readonly Int32Array[];
}

function allocateBuffers(isWide: boolean, count: number, length: number): Buffers {
  const ofNetworks = <T>(create: () => T) => Array.from({ length: count }, create);
  const allocate = () => allocateNumbers(isWide, length);
  const deltas = ofNetworks(allocate);
  const rounded = isWide ? ofNetworks(() => new Float32Array(length)) : undefined;
  const patterns = (rounded ?? deltas).map((numbers) => patternsOf(numbers as Float32Array));
  return { base: allocate(), deltas, rounded, patterns };
}

/** Returns the first elements of buffers. */
function shortened({ base, deltas, rounded, patterns }: Buffers, length: number): Buffers {
  const cut = <T extends Numbers | Int32Array>(array: T) => array.subarray(0, length) as T;
  return {
    base: cut(base),
    deltas: deltas.map(cut),
    rounded: rounded?.map((array) => cut(array)),
    patterns: patterns.map(cut),
  };
}

/** Writes how far stored elements from `from` on are from a base. */
function subtractStored({ dtype, data }: Elements, from: number, base: Numbers, delta: Numbers): void {
  const stored = data.subarray(from, from + delta.length);
  if (dtype === "bf16" && stored instanceof Uint16Array && subtractFromBfloat(stored, base, delta)) return;
  // A difference may be written over what it is computed from.
  subtractInto(widened({ dtype, data }, from, from + delta.length, delta), base, delta);
}

/**
 * Returns a range of stored elements as numbers of the class of `buffer`: themselves where they are that
 * already.
 */
function widened({ dtype, data }: Elements, from: number, until: number, buffer: Numbers): Numbers {
  const stored = data.subarray(from, until);
  if (stored instanceof Float32Array && buffer instanceof Float32Array) return stored;
  if (stored instanceof Float64Array) return stored;
  const wide = buffer instanceof Float64Array ? "f64" : "f32";
  convertInto({ dtype, data: stored }, { dtype: wide, data: buffer });
  return buffer;
}
