import { floatKernels } from "../../../tensor/kernels/float-kernels.ts";

/** Elements of a block. */
const SIZE = 32;

/** Bytes of a block. */
const BYTES = 34;

/** Bit pattern of infinity in 16 bits. */
const INFINITE = 0x7c00;

/**
 * Encodes f32 numbers as `Q8_0` as llama.cpp does: in each block of 32, the scale `d = max |x| / 127` in 16
 * bits, then `x / d` rounded to the nearest whole number, halves away from 0.
 * @param numbers - numbers to encode; their count is a multiple of 32
 * @param out - output with 34 bytes for each 32 numbers
 * @returns whether all scales fit into 16 bits
 */
export function encodeQ8(numbers: Float32Array, out: Uint8Array): boolean {
  const scales = largestOf(numbers);
  for (let block = 0; block < scales.length; block++) scales[block] = scales[block]! / 127;
  const bits = new Uint16Array(scales.length);
  floatKernels().convert({ dtype: "f32", data: scales }, { dtype: "f16", data: bits });
  let fits = true;
  for (let block = 0, to = 0; block < scales.length; block++, to += BYTES) {
    const half = bits[block]!;
    if (half >= INFINITE) fits = false;
    out[to] = half & 0xff;
    out[to + 1] = half >> 8;
    const d = scales[block]!;
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    const from = block * SIZE;
    for (let i = 0; i < SIZE; i++) {
      const x = Math.fround(numbers[from + i]! * inverse);
      // Adding towards its sign and cutting off rounds halves away from 0.
      out[to + 2 + i] = (x + (x < 0 ? -0.5 : 0.5)) | 0;
    }
  }
  return fits;
}

/** Returns the largest magnitude in each block; NaN if the block contains a NaN. */
function largestOf(numbers: Float32Array): Float32Array {
  const out = new Float32Array(numbers.length / SIZE);
  for (let block = 0; block < out.length; block++) {
    let largest = 0;
    const from = block * SIZE;
    for (let i = 0; i < SIZE; i++) {
      const magnitude = Math.abs(numbers[from + i]!);
      // A NaN is kept, as no comparison with it is true.
      if (magnitude > largest || Number.isNaN(magnitude)) largest = magnitude;
    }
    out[block] = largest;
  }
  return out;
}
