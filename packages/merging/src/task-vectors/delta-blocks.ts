import { at, convertInto, type Elements } from "@isthmus/core";
import { allocateUnset, withBlockMemory } from "../kernels/block-memory.ts";
import type { Measured } from "../kernels/magnitudes.ts";
import { simdFor } from "../kernels/simd.ts";
import type { StoredFloats } from "../kernels/stored-floats.ts";
import { type Numbers, patternsOf } from "../kernels/task-vectors.ts";
import { subtractFromBfloat, subtractInto } from "../kernels/vectors.ts";

/**
 * Number of elements that are computed at a time, so that the numbers of a few networks stay in the cache.
 */
export const BLOCK: number = 1 << 14;

/**
 * Task vectors of one block of a tensor, which are computed when they are read. Arrays are valid only during
 * the call.
 */
export interface DeltaBlock {
  /** Position of the first element in the tensor. */
  readonly begin: number;
  /** Number of elements. */
  readonly length: number;
  /** Elements of the base as numbers: f64 if a network or the base is in f64, otherwise f32. */
  readonly base: Numbers;
  /** Returns the numbers of a network. */
  network(k: number): Numbers;
  /** Computes the difference of a network from the base, in a new array. */
  delta(k: number): Numbers;
  /** Differences of all networks from the base. */
  readonly deltas: readonly Numbers[];
  /** Bit patterns of the deltas, rounded to f32. Patterns of f32 deltas share the memory of the deltas. */
  readonly patterns: readonly Int32Array[];
  /** Returns the differences of a network in a form for surveys of magnitudes. */
  measured(k: number): Measured;
  /** Returns the elements of a network in the form that SIMD loops read; only if deltas are in f32. */
  stored(k: number): StoredFloats;
  /** Returns the elements of the base in the form that SIMD loops read; only if deltas are in f32. */
  storedBase(): StoredFloats;
}

/** Stored elements of a range of a tensor in the networks and in the base. */
export interface StoredRange {
  /** Position of the first element in the tensor. */
  readonly begin: number;
  /** Elements of each network, in their stored types. */
  readonly parts: readonly Elements[];
  /** Elements of the base, in their stored type. */
  readonly base: Elements;
}

/**
 * Calls a function with the task vectors of a range, block by block. Arrays that it allocates by
 * `allocateNumbers` are valid only during the call.
 * @param length - number of elements of a block; the last block may be shorter
 */
export function forEachDeltas(
  { begin, parts, base }: StoredRange,
  length: number,
  use: (block: DeltaBlock) => void,
): void {
  const total = base.data.length;
  const isWide = [...parts, base].some(({ dtype }) => dtype === "f64");
  for (let from = 0; from < total; from += length) {
    const place = { from, until: Math.min(from + length, total), isWide };
    withBlockMemory(() => use(new StoredBlock({ begin, parts, base }, place)));
  }
}

/** Place of a block in a range, and whether its numbers are in f64. */
interface BlockPlace {
  readonly from: number;
  readonly until: number;
  readonly isWide: boolean;
}

class StoredBlock implements DeltaBlock {
  readonly begin: number;
  readonly length: number;
  readonly #range: StoredRange;
  readonly #place: BlockPlace;
  #base: Numbers | undefined;
  #deltas: readonly Numbers[] | undefined;
  #patterns: readonly Int32Array[] | undefined;

  constructor(range: StoredRange, place: BlockPlace) {
    this.begin = range.begin + place.from;
    this.length = place.until - place.from;
    this.#range = range;
    this.#place = place;
  }

  get base(): Numbers {
    this.#base ??= this.#widened(this.#range.base);
    return this.#base;
  }

  get deltas(): readonly Numbers[] {
    if (this.#deltas === undefined) this.#base = this.base;
    this.#deltas ??= this.#range.parts.map((_, k) => this.delta(k));
    return this.#deltas;
  }

  get patterns(): readonly Int32Array[] {
    this.#patterns ??= this.deltas.map(roundedPatterns);
    return this.#patterns;
  }

  delta(k: number): Numbers {
    // Numbers of the base are not remembered here, as they may be in memory that is freed before the block's.
    const base = this.#base ?? this.#widened(this.#range.base);
    const delta = this.#allocate();
    subtractStored(at(this.#range.parts, k, "network"), this.#place.from, base, delta);
    return delta;
  }

  measured(k: number): Measured {
    const stored = () => ({ network: this.stored(k), base: this.storedBase() });
    const { isWide } = this.#place;
    return {
      length: this.length,
      stored: isWide ? undefined : stored,
      patterns: () => roundedPatterns(this.delta(k)),
    };
  }

  network(k: number): Numbers {
    return this.#widened(at(this.#range.parts, k, "network"));
  }

  stored(k: number): StoredFloats {
    return this.#stored(at(this.#range.parts, k, "network"));
  }

  storedBase(): StoredFloats {
    return this.#stored(this.#range.base);
  }

  #stored({ dtype, data }: Elements): StoredFloats {
    const stored = data.subarray(this.#place.from, this.#place.until);
    const isFit = stored instanceof Float32Array || (dtype === "bf16" && stored instanceof Uint16Array);
    if (isFit && simdFor(stored) !== undefined) return stored;
    const numbers = this.#allocate() as Float32Array;
    convertInto({ dtype, data: stored }, { dtype: "f32", data: numbers });
    return numbers;
  }

  #widened(part: Elements): Numbers {
    const { from, until } = this.#place;
    return widened(part, from, until, this.#allocate());
  }

  #allocate(): Numbers {
    return allocateUnset(this.#place.isWide, this.length);
  }
}

/** Returns the bit patterns of numbers as f32. */
function roundedPatterns(numbers: Numbers): Int32Array {
  return patternsOf(numbers instanceof Float32Array ? numbers : Float32Array.from(numbers));
}

/** Computes the differences between stored elements, from `from` on, and a base. */
function subtractStored({ dtype, data }: Elements, from: number, base: Numbers, delta: Numbers): void {
  const stored = data.subarray(from, from + delta.length);
  if (dtype === "bf16" && stored instanceof Uint16Array && subtractFromBfloat(stored, base, delta)) return;
  // A difference may overwrite the numbers from which it is computed.
  subtractInto(widened({ dtype, data }, from, from + delta.length, delta), base, delta);
}

/**
 * Returns a range of stored elements as numbers of the class of `buffer`. Elements of that class are returned
 * without a copy.
 */
function widened({ dtype, data }: Elements, from: number, until: number, buffer: Numbers): Numbers {
  const stored = data.subarray(from, until);
  if (stored instanceof Float32Array && buffer instanceof Float32Array) return stored;
  if (stored instanceof Float64Array) return stored;
  const wide = buffer instanceof Float64Array ? "f64" : "f32";
  convertInto({ dtype, data: stored }, { dtype: wide, data: buffer });
  return buffer;
}
