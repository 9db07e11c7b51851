import { halfAt } from "./small-blocks.ts";

/** Values of the 4-bit floats of `MXFP4` and `NVFP4`, doubled. */
const DOUBLED = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** Decodes `TQ1_0`: 256 elements of -1, 0 or 1, five of them in a byte as digits of base 3, and a scale. */
export function decodeTq1(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 54, to += 256) {
    const d = halfAt(blocks, at + 52);
    for (let i = 0; i < 160; i++) out[to + i] = d * digitOf(blocks[at + (i & 31)]!, i >> 5);
    for (let i = 0; i < 80; i++) out[to + 160 + i] = d * digitOf(blocks[at + 32 + (i & 15)]!, i >> 4);
    for (let i = 0; i < 16; i++) out[to + 240 + i] = d * digitOf(blocks[at + 48 + (i & 3)]!, i >> 2);
  }
}

/** Returns a digit of base 3 of a byte that holds a fraction of 256, less 1. */
function digitOf(byte: number, place: number): number {
  return ((((byte * 3 ** place) & 255) * 3) >> 8) - 1;
}

/** Decodes `TQ2_0`: 256 elements of -1, 0, 1 or 2 in 2 bits each, and a scale. */
export function decodeTq2(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 66, to += 256) {
    const d = halfAt(blocks, at + 64);
    for (let i = 0; i < 256; i++) {
      const quad = blocks[at + 32 * (i >> 7) + (i & 31)]!;
      out[to + i] = d * (((quad >> (2 * ((i >> 5) & 3))) & 3) - 1);
    }
  }
}

/** Decodes `MXFP4`: 32 floats of 4 bits, and a power of 2 as their scale. */
export function decodeMxfp4(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 17, to += 32) {
    const d = 2 ** (blocks[at]! - 128);
    for (let i = 0; i < 16; i++) {
      const pair = blocks[at + 1 + i]!;
      out[to + i] = d * DOUBLED[pair & 15]!;
      out[to + i + 16] = d * DOUBLED[pair >> 4]!;
    }
  }
}

/** Decodes `NVFP4`: four groups of 16 floats of 4 bits, each with a scale of 8 bits without sign. */
export function decodeNvfp4(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 36, to += 64) {
    for (let group = 0; group < 4; group++) {
      const d = halfOfScale(blocks[at + group]!);
      for (let i = 0; i < 8; i++) {
        const pair = blocks[at + 4 + 8 * group + i]!;
        out[to + 16 * group + i] = d * DOUBLED[pair & 15]!;
        out[to + 16 * group + i + 8] = d * DOUBLED[pair >> 4]!;
      }
    }
  }
}

/** Returns half of a float of 4 bits of exponent and 3 of mantissa; the pattern of NaN counts as 0. */
function halfOfScale(byte: number): number {
  if (byte === 0x7f) return 0;
  const exponent = (byte >> 3) & 15;
  const mantissa = byte & 7;
  return exponent === 0 ? mantissa * 2 ** -10 : (8 + mantissa) * 2 ** (exponent - 11);
}
