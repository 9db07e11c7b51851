import { type Kernels, readCode } from "../../../wasm/elementwise.mjs";
import type { FloatKernels, Floats, KernelMemory, Scratch } from "./floats.ts";
import { sumLanes } from "./scalar-kernels.ts";
import { canStartKernels, placeArrays, startKernels } from "./start-kernels.ts";

/**
 * Number of elements in WebAssembly memory at a time, so that two sources, a sum and a result fit into the
 * second-level cache.
 */
const BLOCK = 16384;

const REGION_BYTES = 4 * BLOCK;

/** Bytes of the five regions of one block each. */
const REGIONS = [REGION_BYTES, REGION_BYTES, REGION_BYTES, REGION_BYTES, REGION_BYTES] as const;

/** Number of elements in a group, which the kernels process at once. */
const GROUP = 8;

/** Codes of element types in kernels/elementwise.ts. */
const CODES: Readonly<Record<Floats["dtype"], number>> = { f32: 0, f16: 1, bf16: 2, f8e4m3: 3, f8e5m2: 4 };

/** Flags of `approach` in kernels/elementwise.ts. */
const REVERSE = 1;
const WITH_NAN = 2;

/** Loads the SIMD kernels; returns undefined if the runtime does not support WebAssembly SIMD. */
export function loadWasmKernels(): FloatKernels | undefined {
  return canStartKernels(readCode) ? new WasmKernels(startKernels<Kernels>(readCode)) : undefined;
}

/**
 * Size of a slot of memory that can be borrowed, in bytes; as all slots have the same size, releasing needs
 * no bookkeeping.
 */
const SLOT_BYTES = 2 ** 20;
const SLOTS = 32;

class WasmKernels implements FloatKernels {
  readonly memory: KernelMemory;
  readonly #exports: Kernels;
  readonly #bytes: Uint8Array;
  readonly #sums: Float64Array;
  /** Addresses of regions of one block each, for stored data. */
  readonly #a: number;
  readonly #b: number;
  /** Addresses of regions of one block each, for f32. */
  readonly #x: number;
  readonly #y: number;
  /** Address of the region of one block for a result in its stored type. */
  readonly #out: number;
  /** Addresses of free slots. */
  readonly #free: number[];

  constructor(exports: Kernels) {
    // Sums of 8 lanes, five regions, and the slots.
    const lengths = [64, ...REGIONS, SLOTS * SLOT_BYTES] as const;
    const [sums, a, b, x, y, out, slots] = placeArrays(exports, lengths, "compute with floats");
    this.#a = a;
    this.#b = b;
    this.#x = x;
    this.#y = y;
    this.#out = out;
    this.#free = Array.from({ length: SLOTS }, (_, i) => slots + (SLOTS - 1 - i) * SLOT_BYTES);
    this.#exports = exports;
    this.memory = exports.memory;
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#sums = new Float64Array(exports.memory.buffer, sums, 8);
  }

  borrow(byteLength: number): Scratch | undefined {
    const slot = byteLength <= SLOT_BYTES ? this.#free.pop() : undefined;
    if (slot === undefined) return undefined;
    return {
      bytes: this.#bytes.subarray(slot, slot + byteLength),
      release: () => void this.#free.push(slot),
    };
  }

  convert(source: Floats, out: Floats): void {
    for (let begin = 0; begin < out.data.length; begin += BLOCK) {
      const count = blockSize(out, begin);
      const from = this.#place(source, begin, this.#a);
      if (out.dtype === "f32") {
        const to = this.#target(out, begin, [from]);
        this.#exports.widen(CODES[source.dtype], from, to, count);
        this.#collect(out, begin, to);
      } else if (source.dtype === "f32") this.#round(from, out, begin);
      else {
        this.#exports.widen(CODES[source.dtype], from, this.#x, count);
        this.#round(this.#x, out, begin);
      }
    }
  }

  blend(sources: readonly Floats[], weights: Float32Array, out: Floats): void {
    for (let begin = 0; begin < out.data.length; begin += BLOCK) {
      const count = blockSize(out, begin);
      for (let k = 0; k < sources.length; k++) {
        const source = sources[k]!;
        const from = this.#place(source, begin, this.#a);
        if (k === 0) this.#exports.scale(CODES[source.dtype], from, weights[k]!, this.#x, count);
        else this.#exports.add(CODES[source.dtype], from, weights[k]!, this.#x, count);
      }
      this.#exports.canonicalize(this.#x, count);
      this.#round(this.#x, out, begin);
    }
  }

  step(from: Floats, to: Floats, by: number, out: Floats): void {
    const same = from.dtype === to.dtype && from.dtype === out.dtype;
    for (let begin = 0; begin < out.data.length; begin += BLOCK) {
      const count = blockSize(out, begin);
      const a = this.#place(from, begin, this.#a);
      const b = this.#place(to, begin, this.#b);
      if (same) {
        const target = this.#target(out, begin, [a, b]);
        this.#exports.step(CODES[out.dtype], a, b, by, target, count);
        this.#collect(out, begin, target);
      } else {
        this.#exports.widen(CODES[from.dtype], a, this.#x, count);
        this.#exports.widen(CODES[to.dtype], b, this.#y, count);
        // Both sources have been read, so their regions are free.
        this.#exports.step(CODES.f32, this.#x, this.#y, by, this.#a, count);
        this.#round(this.#a, out, begin);
      }
    }
  }

  approach(sources: readonly Floats[], places: readonly number[], out: Floats): void {
    for (let begin = 0; begin < out.data.length; begin += BLOCK) {
      this.#approachBlock(sources, places, begin, 0);
      // NaN is rare, so a block is computed without handling it first, and computed again if the result has
      // one.
      if (this.#exports.findNonFinite(this.#x, blockSize(out, begin)) >= 0)
        this.#approachBlock(sources, places, begin, WITH_NAN);
      this.#round(this.#x, out, begin);
    }
  }

  #approachBlock(sources: readonly Floats[], places: readonly number[], begin: number, flags: number): void {
    for (let k = 0; k < sources.length; k++) {
      const source = sources[k]!;
      const place = places[k]!;
      if (k > 0 && place === 0) continue;
      const code = CODES[source.dtype];
      const from = this.#place(source, begin, this.#a);
      const count = blockSize(source, begin);
      if (k === 0 || place === 1) this.#exports.widen(code, from, this.#x, count);
      else if (place < 0.5) this.#exports.approach(code, from, place, flags, this.#x, count);
      else this.#exports.approach(code, from, 1 - place, flags | REVERSE, this.#x, count);
    }
  }

  dot(a: Floats, b: Floats): number {
    this.#sums.fill(0);
    for (let begin = 0; begin < a.data.length; begin += BLOCK) {
      const count = blockSize(a, begin);
      const x = this.#widened(a, begin, this.#a, this.#x);
      const y = a === b ? x : this.#widened(b, begin, this.#b, this.#y);
      this.#exports.dot(x, y, count, this.#sums.byteOffset);
    }
    return sumLanes(this.#sums);
  }

  /** Returns the address of the block at `begin` as f32: of the elements themselves, if they are f32. */
  #widened(source: Floats, begin: number, stored: number, f32: number): number {
    const from = this.#place(source, begin, stored);
    if (source.dtype === "f32") return from;
    this.#exports.widen(CODES[source.dtype], from, f32, blockSize(source, begin));
    return f32;
  }

  findNonFinite(source: Floats): number {
    for (let begin = 0; begin < source.data.length; begin += BLOCK) {
      const count = blockSize(source, begin);
      const x = this.#widened(source, begin, this.#a, this.#x);
      const group = this.#exports.findNonFinite(x, count);
      if (group < 0) continue;
      const numbers = new Float32Array(this.#bytes.buffer, x + 4 * group, GROUP);
      return begin + group + numbers.findIndex((x) => !Number.isFinite(x));
    }
    return -1;
  }

  /** Checks whether a block can be used in place: it is in this memory, and ends with a whole group. */
  #isInPlace({ data }: Floats, begin: number): boolean {
    return data.buffer === this.#bytes.buffer && (begin + BLOCK <= data.length || data.length % GROUP === 0);
  }

  /**
   * Returns the address of the block at `begin` in this memory: in place, or copied to `region` with zeros
   * after it.
   */
  #place(source: Floats, begin: number, region: number): number {
    const { data } = source;
    const width = data.BYTES_PER_ELEMENT;
    if (this.#isInPlace(source, begin)) return data.byteOffset + begin * width;
    const length = Math.min(BLOCK, data.length - begin);
    this.#bytes.set(new Uint8Array(data.buffer, data.byteOffset + begin * width, length * width), region);
    this.#bytes.fill(0, region + length * width, region + blockSize(source, begin) * width);
    return region;
  }

  /**
   * Returns the address to write the block at `begin` to:
   * in place, unless that would overwrite unread `sources`.
   */
  #target(out: Floats, begin: number, sources: readonly number[]): number {
    const at = out.data.byteOffset + begin * out.data.BYTES_PER_ELEMENT;
    if (!this.#isInPlace(out, begin) || sources.some((source) => Math.abs(source - at) < REGION_BYTES)) {
      return this.#out;
    }
    return at;
  }

  /** Copies a block to `out`, unless it was written in place. */
  #collect({ data }: Floats, begin: number, target: number): void {
    if (target !== this.#out) return;
    const width = data.BYTES_PER_ELEMENT;
    const bytes = Math.min(BLOCK, data.length - begin) * width;
    const out = new Uint8Array(data.buffer, data.byteOffset + begin * width, bytes);
    out.set(this.#bytes.subarray(target, target + bytes));
  }

  /** Rounds a block of f32 in this memory to `out`. */
  #round(f32: number, out: Floats, begin: number): void {
    const target = this.#target(out, begin, [f32]);
    this.#exports.narrow(CODES[out.dtype], f32, target, blockSize(out, begin));
    this.#collect(out, begin, target);
  }
}

/** Returns the number of elements of the block at `begin`, rounded up to whole groups. */
function blockSize({ data }: Floats, begin: number): number {
  return Math.ceil(Math.min(BLOCK, data.length - begin) / GROUP) * GROUP;
}
