import { widenHalf } from "../../../tensor/kernels/half.ts";

/** Decodes whole blocks of stored bytes to as many f32 numbers as they hold. */
export type DecodeBlocks = (blocks: Uint8Array, out: Float32Array) => void;

/** Elements of a block. */
const SIZE = 32;

/** Values of the 4-bit indices of the `IQ4` types. */
const IQ4_VALUES = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** Reads a number of 16-bit floating point at a byte. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return widenHalf(bytes[at]! | (bytes[at + 1]! << 8));
}

/**
 * Decodes `Q4_0`, `d (q - 8)`, or `Q4_1`, `d q + m`: a scale, a minimum if there is one, then 16 bytes of
 * which the low halves are the first 16 elements.
 */
export function decodeQ4(blocks: Uint8Array, out: Float32Array, hasMinimum: boolean): void {
  const head = hasMinimum ? 4 : 2;
  for (let at = 0, to = 0; to < out.length; at += head + 16, to += SIZE) {
    const d = halfAt(blocks, at);
    const shift = hasMinimum ? halfAt(blocks, at + 2) : 0;
    const zero = hasMinimum ? 0 : 8;
    for (let i = 0; i < 16; i++) {
      const pair = blocks[at + head + i]!;
      const low = d * ((pair & 15) - zero);
      const high = d * ((pair >> 4) - zero);
      // Without a minimum nothing is added, which would turn -0 into 0.
      out[to + i] = hasMinimum ? low + shift : low;
      out[to + i + 16] = hasMinimum ? high + shift : high;
    }
  }
}

/** Decodes `Q5_0`, `d (q - 16)`, or `Q5_1`, `d q + m`, whose fifth bits precede the halves of bytes. */
export function decodeQ5(blocks: Uint8Array, out: Float32Array, hasMinimum: boolean): void {
  const head = hasMinimum ? 4 : 2;
  for (let at = 0, to = 0; to < out.length; at += head + 20, to += SIZE) {
    const d = halfAt(blocks, at);
    const shift = hasMinimum ? halfAt(blocks, at + 2) : 0;
    const zero = hasMinimum ? 0 : 16;
    for (let i = 0; i < 16; i++) {
      const pair = blocks[at + head + 4 + i]!;
      const low = (blocks[at + head + (i >> 3)]! >> (i & 7)) & 1;
      const high = (blocks[at + head + 2 + (i >> 3)]! >> (i & 7)) & 1;
      const first = d * (((pair & 15) | (low << 4)) - zero);
      const second = d * (((pair >> 4) | (high << 4)) - zero);
      out[to + i] = hasMinimum ? first + shift : first;
      out[to + i + 16] = hasMinimum ? second + shift : second;
    }
  }
}

/** Decodes `Q8_0`: a scale, then 32 signed bytes. */
export function decodeQ8(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 34, to += SIZE) {
    const d = halfAt(blocks, at);
    for (let i = 0; i < SIZE; i++) out[to + i] = d * ((blocks[at + 2 + i]! << 24) >> 24);
  }
}

/** Decodes `IQ4_NL`: a scale, then 16 bytes of two indices of fixed values each. */
export function decodeIq4Nl(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 18, to += SIZE) {
    decodeIndices(blocks, at + 2, halfAt(blocks, at), out.subarray(to, to + SIZE));
  }
}

/** Decodes `IQ4_XS`: eight groups of 32 elements as in `IQ4_NL`, each with a 6-bit scale of its own. */
export function decodeIq4Xs(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 136, to += 8 * SIZE) {
    const d = halfAt(blocks, at);
    const high = blocks[at + 2]! | (blocks[at + 3]! << 8);
    for (let group = 0; group < 8; group++) {
      const low = (blocks[at + 4 + (group >> 1)]! >> (4 * (group & 1))) & 15;
      const scale = low | (((high >> (2 * group)) & 3) << 4);
      const begin = to + SIZE * group;
      decodeIndices(blocks, at + 8 + 16 * group, d * (scale - 32), out.subarray(begin, begin + SIZE));
    }
  }
}

function decodeIndices(blocks: Uint8Array, at: number, scale: number, out: Float32Array): void {
  for (let i = 0; i < 16; i++) {
    const pair = blocks[at + i]!;
    out[i] = scale * IQ4_VALUES[pair & 15]!;
    out[i + 16] = scale * IQ4_VALUES[pair >> 4]!;
  }
}
