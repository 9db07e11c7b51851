import { at, convertInto, type Elements } from "@isthmus/core";
import { allocateNumbers, withBlockMemory } from "../kernels/block-memory.ts";
import { type Numbers, patternsOf } from "../kernels/task-vectors.ts";
import { subtractInto } from "../kernels/vectors.ts";

/** Elements that are computed at a time, so that the numbers of a few networks stay in the cache. */
export const BLOCK: number = 1 << 12;

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
 * Calls a function with the task vectors of a range, block by block. What it allocates by `allocateNumbers` is
 * valid during the call.
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
      const networks = parts.map((part, k) => widened(part, from, until, at(buffers.networks, k, "network")));
      for (let k = 0; k < networks.length; k++) {
        const delta = at(deltas, k, "network");
        subtractInto(at(networks, k, "network"), baseBlock, delta);
        rounded?.[k]?.set(delta);
      }
      withBlockMemory(() => use({ begin: begin + from, base: baseBlock, networks, deltas, patterns }));
    }
  });
}

/** Memory in which blocks are computed. */
interface Buffers {
  readonly base: Numbers;
  readonly networks: readonly Numbers[];
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
  return { base: allocate(), networks: ofNetworks(allocate), deltas, rounded, patterns };
}

/** Returns the first elements of buffers. */
function shortened({ base, networks, deltas, rounded, patterns }: Buffers, length: number): Buffers {
  const cut = <T extends Numbers | Int32Array>(array: T) => array.subarray(0, length) as T;
  return {
    base: cut(base),
    networks: networks.map(cut),
    deltas: deltas.map(cut),
    rounded: rounded?.map((array) => cut(array)),
    patterns: patterns.map(cut),
  };
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
