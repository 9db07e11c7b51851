import { at, createRandom, fromFloat32Into, type Tensor } from "@isthmus/core";
import type { MaskInput } from "../mode/mask-input.ts";

/** Number of different random values that decide an element: half of a random number of 32 bits is enough. */
const LEVELS = 2 ** 16;

/**
 * Writes the dropout mask of a step: each element is 0 with probability `ratio`, rounded to 16 bits, else
 * `1 / (1 - ratio)`. The mask depends on the seed, the step and its name only.
 */
export function fillMask(
  { name, ratio, dtype }: MaskInput,
  { data }: Tensor,
  { seed, step }: { readonly seed: number; readonly step: number },
): void {
  const random = createRandom(seed, `mask ${name} of step ${step}`);
  const values = dtype === "f32" && data instanceof Float32Array ? data : new Float32Array(data.length);
  const state = Int32Array.from({ length: 3 }, () => random.integer(2 ** 32));
  fillRandomly(values, { dropped: Math.round(ratio * LEVELS), scale: Math.fround(1 / (1 - ratio)) }, state);
  if (values !== data) fromFloat32Into(values, dtype, data);
}

/**
 * Writes 0 or `scale` at random, by the generator sfc32 (Chris Doty-Humphrey's PractRand) with its state in
 * local variables, two elements from each number, and no branch that depends on them: several times faster
 * than a call of `uniform` for each element.
 */
function fillRandomly(
  out: Float32Array,
  { dropped, scale }: { readonly dropped: number; readonly scale: number },
  state: Int32Array,
): void {
  const bitsOut = new Int32Array(out.buffer, out.byteOffset, out.length);
  const scaleBits = at(new Int32Array(Float32Array.of(scale).buffer), 0);
  let [a = 0, b = 0, c = 0] = state;
  let counter = 1;
  for (let i = 0; i < bitsOut.length; i += 2) {
    const bits = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + bits) | 0;
    // The shifted difference is all ones if it is negative: if the half is below the share that is dropped.
    bitsOut[i] = scaleBits & ~(((bits & 0xffff) - dropped) >> 31);
    // Writing past the end of an odd length does nothing.
    bitsOut[i + 1] = scaleBits & ~(((bits >>> 16) - dropped) >> 31);
  }
}
