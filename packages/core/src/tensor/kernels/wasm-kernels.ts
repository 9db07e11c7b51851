import { readFileSync } from "node:fs";
import type { FloatKernels, Floats } from "./float-kernels.ts";
import { sumLanes } from "./scalar-kernels.ts";

/** The part of WebAssembly that is used here; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  validate(bytes: Uint8Array): boolean;
};

/** Elements in WebAssembly memory at a time: two sources, a sum and a result stay in the second-level cache. */
const BLOCK = 16384;

const REGION_BYTES = 4 * BLOCK;

/** Codes of element types in kernels/elementwise.ts. */
const CODES: Readonly<Record<Floats["dtype"], number>> = { f32: 0, f16: 1, bf16: 2, f8e4m3: 3, f8e5m2: 4 };

/** What kernels/elementwise.ts exports. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly base: { readonly value: number };
  widen(code: number, source: number, out: number, count: number): void;
  narrow(code: number, source: number, out: number, count: number): void;
  scale(code: number, source: number, weight: number, out: number, count: number): void;
  add(code: number, source: number, weight: number, sum: number, count: number): void;
  canonicalize(at: number, count: number): void;
  step(code: number, from: number, to: number, by: number, out: number, count: number): void;
  dot(a: number, b: number, count: number, sums: number): void;
  findNonFinite(at: number, count: number): number;
}

/** Loads the SIMD kernels, or gives undefined where the runtime does not have WebAssembly SIMD. */
export function loadWasmKernels(): FloatKernels | undefined {
  const code = readFileSync(new URL("../../../wasm/elementwise.wasm", import.meta.url));
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(code)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { abort() {} } });
  return new WasmKernels(exports as Exports);
}

/** Rounds up to what the kernels take: groups of 8. */
function pad(count: number): number {
  return (count + 7) & ~7;
}

class WasmKernels implements FloatKernels {
  readonly #exports: Exports;
  readonly #bytes: Uint8Array;
  readonly #sums: Float64Array;
  /** Regions of one block each: data as stored. */
  readonly #a: number;
  readonly #b: number;
  /** Regions of one block each: f32. */
  readonly #x: number;
  readonly #y: number;

  constructor(exports: Exports) {
    const sums = exports.base.value;
    const end = sums + 64 + 4 * REGION_BYTES;
    const missing = end - exports.memory.buffer.byteLength;
    // Grown once, here: growing later would detach the views.
    if (missing > 0) exports.memory.grow(Math.ceil(missing / 65536));
    this.#exports = exports;
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#sums = new Float64Array(exports.memory.buffer, sums, 8);
    this.#a = sums + 64;
    this.#b = this.#a + REGION_BYTES;
    this.#x = this.#b + REGION_BYTES;
    this.#y = this.#x + REGION_BYTES;
  }

  convert(source: Floats, out: Floats): void {
    for (let begin = 0; begin < out.data.length; begin += BLOCK) {
      const count = this.#copyIn(source, begin, this.#a);
      this.#exports.widen(CODES[source.dtype], this.#a, this.#x, count);
      this.#roundOut(this.#x, out, begin, count);
    }
  }

  blend(sources: readonly Floats[], weights: Float32Array, out: Floats): void {
    for (let begin = 0; begin < out.data.length; begin += BLOCK) {
      let count = 0;
      for (let k = 0; k < sources.length; k++) {
        const source = sources[k]!;
        count = this.#copyIn(source, begin, this.#a);
        if (k === 0) this.#exports.scale(CODES[source.dtype], this.#a, weights[k]!, this.#x, count);
        else this.#exports.add(CODES[source.dtype], this.#a, weights[k]!, this.#x, count);
      }
      this.#exports.canonicalize(this.#x, count);
      this.#roundOut(this.#x, out, begin, count);
    }
  }

  step(from: Floats, to: Floats, by: number, out: Floats): void {
    if (from.dtype !== to.dtype || from.dtype !== out.dtype) {
      this.#stepMixed(from, to, by, out);
      return;
    }
    for (let begin = 0; begin < out.data.length; begin += BLOCK) {
      this.#copyIn(from, begin, this.#a);
      const count = this.#copyIn(to, begin, this.#b);
      this.#exports.step(CODES[out.dtype], this.#a, this.#b, by, this.#x, count);
      this.#copyOut(this.#x, out, begin);
    }
  }

  dot(a: Floats, b: Floats): number {
    this.#sums.fill(0);
    for (let begin = 0; begin < a.data.length; begin += BLOCK) {
      this.#copyIn(a, begin, this.#a);
      const count = this.#copyIn(b, begin, this.#b);
      this.#exports.widen(CODES[a.dtype], this.#a, this.#x, count);
      this.#exports.widen(CODES[b.dtype], this.#b, this.#y, count);
      this.#exports.dot(this.#x, this.#y, count, this.#sums.byteOffset);
    }
    return sumLanes(this.#sums);
  }

  findNonFinite(source: Floats): number {
    const numbers = new Float32Array(this.#bytes.buffer, this.#x, 8);
    for (let begin = 0; begin < source.data.length; begin += BLOCK) {
      const count = this.#copyIn(source, begin, this.#a);
      this.#exports.widen(CODES[source.dtype], this.#a, this.#x, count);
      const group = this.#exports.findNonFinite(this.#x, count);
      if (group < 0) continue;
      numbers.set(new Float32Array(this.#bytes.buffer, this.#x + 4 * group, 8));
      return begin + group + numbers.findIndex((x) => !Number.isFinite(x));
    }
    return -1;
  }

  #stepMixed(from: Floats, to: Floats, by: number, out: Floats): void {
    for (let begin = 0; begin < out.data.length; begin += BLOCK) {
      this.#copyIn(from, begin, this.#a);
      const count = this.#copyIn(to, begin, this.#b);
      this.#exports.widen(CODES[from.dtype], this.#a, this.#x, count);
      this.#exports.widen(CODES[to.dtype], this.#b, this.#y, count);
      this.#exports.step(CODES.f32, this.#x, this.#y, by, this.#a, count);
      this.#roundOut(this.#a, out, begin, count);
    }
  }

  /** Copies the block at `begin` to a region, zeros after it, and returns its padded count. */
  #copyIn({ data }: Floats, begin: number, region: number): number {
    const width = data.BYTES_PER_ELEMENT;
    const length = Math.min(BLOCK, data.length - begin);
    this.#bytes.set(new Uint8Array(data.buffer, data.byteOffset + begin * width, length * width), region);
    const count = pad(length);
    if (count > length) this.#bytes.fill(0, region + length * width, region + count * width);
    return count;
  }

  #copyOut(region: number, { data }: Floats, begin: number): void {
    const width = data.BYTES_PER_ELEMENT;
    const bytes = Math.min(BLOCK, data.length - begin) * width;
    const out = new Uint8Array(data.buffer, data.byteOffset + begin * width, bytes);
    out.set(this.#bytes.subarray(region, region + bytes));
  }

  #roundOut(f32: number, out: Floats, begin: number, count: number): void {
    this.#exports.narrow(CODES[out.dtype], f32, this.#b, count);
    this.#copyOut(this.#b, out, begin);
  }
}
