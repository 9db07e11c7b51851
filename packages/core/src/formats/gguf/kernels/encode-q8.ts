import { narrowHalf } from "../../../tensor/kernels/half.ts";

/** Elements and bytes of a block. */
const [SIZE, BYTES] = [32, 34];

/**
 * Encodes f32 numbers as `Q8_0` as llama.cpp does: in each block of 32, the scale `d = max |x| / 127` in 16
 * bits, then `x / d` rounded to the nearest whole number, halves away from 0.
 * @param numbers - a multiple of 32 of them
 * @param out - 34 bytes for each 32 numbers
 * @returns whether all scales fit 16 bits
 */
export function encodeQ8(numbers: Float32Array, out: Uint8Array): boolean {
  let fits = true;
  for (let from = 0, to = 0; from < numbers.length; from += SIZE, to += BYTES) {
    let largest = 0;
    for (let i = 0; i < SIZE; i++) largest = Math.max(largest, Math.abs(numbers[from + i]!));
    const d = Math.fround(largest / 127);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    const bits = narrowHalf(d);
    if (bits >= 0x7c00) fits = false;
    out[to] = bits & 0xff;
    out[to + 1] = bits >> 8;
    for (let i = 0; i < SIZE; i++) {
      const x = Math.fround(numbers[from + i]! * inverse);
      out[to + 2 + i] = x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5);
    }
  }
  return fits;
}
