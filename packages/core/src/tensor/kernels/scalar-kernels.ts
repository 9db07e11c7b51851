import { narrowScalar, widenScalar } from "./float-bits.ts";
import type { FloatKernels, Floats } from "./floats.ts";

/** Number of elements that are widened at a time. */
const BLOCK = 2048;

const CANONICAL_NAN = 0x7fc00000;

const fround = Math.fround;

/** f32 numbers and their bits: two views of the same memory. */
interface Block {
  readonly numbers: Float32Array;
  readonly bits: Uint32Array;
}

function createBlock(): Block {
  const numbers = new Float32Array(BLOCK);
  return { numbers, bits: new Uint32Array(numbers.buffer) };
}

const first = createBlock();
const second = createBlock();

function load({ dtype, data }: Floats, begin: number, end: number, block: Block): void {
  const part = data.subarray(begin, end);
  const bits = block.bits.subarray(0, end - begin);
  // Bits are copied, as assigning numbers may change the payload of a NaN.
  if (part instanceof Float32Array) bits.set(new Uint32Array(part.buffer, part.byteOffset, part.length));
  else if (dtype !== "f32") widenScalar(dtype, part, bits);
}

function store(block: Block, { dtype, data }: Floats, begin: number, end: number): void {
  const part = data.subarray(begin, end);
  const bits = block.bits.subarray(0, end - begin);
  if (part instanceof Float32Array) new Uint32Array(part.buffer, part.byteOffset, part.length).set(bits);
  else if (dtype !== "f32") narrowScalar(dtype, bits, part);
}

function eachBlock(length: number, visit: (begin: number, end: number) => void): void {
  for (let begin = 0; begin < length; begin += BLOCK) visit(begin, Math.min(begin + BLOCK, length));
}

function accumulate(source: Block, weight: number, sum: Block, count: number): void {
  const x = source.numbers;
  const s = sum.numbers;
  for (let i = 0; i < count; i++) s[i] = s[i]! + fround(weight * x[i]!);
}

function scale(block: Block, weight: number, count: number): void {
  const x = block.numbers;
  for (let i = 0; i < count; i++) x[i] = weight * x[i]!;
}

function canonicalize({ numbers, bits }: Block, count: number): void {
  for (let i = 0; i < count; i++) if (Number.isNaN(numbers[i]!)) bits[i] = CANONICAL_NAN;
}

function stepBlock(from: Block, to: Block, by: number, out: Block, count: number): void {
  for (let i = 0; i < count; i++) {
    const x = from.numbers[i]!;
    // Adding 0 turns a step of -0 into 0, which leaves an `x` of -0 unchanged if `by` is negative.
    const r = x - (fround(by * fround(x - to.numbers[i]!)) + 0);
    if (Number.isNaN(r)) {
      out.bits[i] = from.bits[i] === to.bits[i] ? from.bits[i]! : CANONICAL_NAN;
    } else out.numbers[i] = r;
  }
}

/** Implementation in plain TypeScript, slower and easier to read than the WebAssembly one. */
export const scalarKernels: FloatKernels = {
  convert(source, out) {
    eachBlock(out.data.length, (begin, end) => {
      load(source, begin, end, first);
      store(first, out, begin, end);
    });
  },

  blend(sources, weights, out) {
    eachBlock(out.data.length, (begin, end) => {
      for (const [k, source] of sources.entries()) {
        if (k === 0) {
          load(source, begin, end, first);
          scale(first, weights[k]!, end - begin);
        } else {
          load(source, begin, end, second);
          accumulate(second, weights[k]!, first, end - begin);
        }
      }
      canonicalize(first, end - begin);
      store(first, out, begin, end);
    });
  },

  approach(sources, places, out) {
    eachBlock(out.data.length, (begin, end) => {
      for (const [k, source] of sources.entries()) {
        const place = places[k]!;
        if (k > 0 && place === 0) continue;
        const replaces = k === 0 || place === 1;
        load(source, begin, end, replaces ? first : second);
        if (replaces) continue;
        if (place < 0.5) stepBlock(first, second, fround(place), first, end - begin);
        else stepBlock(second, first, fround(1 - place), first, end - begin);
      }
      store(first, out, begin, end);
    });
  },

  step(from, to, by, out) {
    eachBlock(out.data.length, (begin, end) => {
      load(from, begin, end, first);
      load(to, begin, end, second);
      stepBlock(first, second, fround(by), first, end - begin);
      store(first, out, begin, end);
    });
  },

  dot(a, b) {
    const s = new Float64Array(8);
    eachBlock(a.data.length, (begin, end) => {
      load(a, begin, end, first);
      load(b, begin, end, second);
      for (let i = 0; i < end - begin; i++) s[i & 7] = s[i & 7]! + first.numbers[i]! * second.numbers[i]!;
    });
    return sumLanes(s);
  },

  findNonFinite(source) {
    for (let begin = 0; begin < source.data.length; begin += BLOCK) {
      const end = Math.min(begin + BLOCK, source.data.length);
      load(source, begin, end, first);
      for (let i = 0; i < end - begin; i++) if (!Number.isFinite(first.numbers[i]!)) return begin + i;
    }
    return -1;
  },

  borrow: () => undefined,
  memory: undefined,
};

/** Adds the 8 interleaved sums of a dot product in the order that both implementations use. */
export function sumLanes(s: Float64Array): number {
  return s[0]! + s[2]! + (s[4]! + s[6]!) + (s[1]! + s[3]! + (s[5]! + s[7]!));
}
