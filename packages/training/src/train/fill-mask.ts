import { createRandom, fromFloat32Into, type Tensor } from "@isthmus/core";
import type { MaskInput } from "../mode/mask-input.ts";

/** Steps in which an element can be decided: half a random number of 32 bits is enough for a mask. */
const LEVELS = 2 ** 16;

/**
 * Writes the dropout mask of a step: each element is 0 with probability `ratio`, to 16 bits, else `1 / (1 - ratio)`. It depends
 * on the seed, the step and the mask's name only.
 */
export function fillMask(
  { name, ratio, dtype }: MaskInput,
  { data }: Tensor,
  { seed, step }: { readonly seed: number; readonly step: number },
): void {
  const random = createRandom(seed, `mask ${name} of step ${step}`);
  const values = dtype === "f32" && data instanceof Float32Array ? data : new Float32Array(data.length);
  const state = Int32Array.from({ length: 3 }, () => random.integer(2 ** 32));
  fillRandomly(values, { dropped: Math.round(ratio * LEVELS), kept: Math.fround(1 / (1 - ratio)) }, state);
  if (values !== data) fromFloat32Into(values, dtype, data);
}

/**
 * sfc32 (Chris Doty-Humphrey's PractRand) with its state in local variables, two elements from each number, and no branch that
 * depends on them: several times faster than a call of `uniform` for each element.
 */
function fillRandomly(
  out: Float32Array,
  { dropped, kept }: { readonly dropped: number; readonly kept: number },
  state: Int32Array,
): void {
  const bitsOut = new Int32Array(out.buffer, out.byteOffset, out.length);
  const keptBits = new Int32Array(Float32Array.of(kept).buffer)[0] ?? 0;
  let [a = 0, b = 0, c = 0] = state;
  let counter = 1;
  for (let i = 0; i < bitsOut.length; i += 2) {
    const bits = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + bits) | 0;
    // All ones where the half is below the share that is dropped, as the difference is then negative.
    bitsOut[i] = keptBits & ~(((bits & 0xffff) - dropped) >> 31);
    // Writing past the end of an odd length does nothing.
    bitsOut[i + 1] = keptBits & ~(((bits >>> 16) - dropped) >> 31);
  }
}
