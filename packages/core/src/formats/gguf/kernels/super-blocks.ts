import { halfAt } from "./small-blocks.ts";

/** Elements of a block of the `K` types. */
const SIZE = 256;

/** Decodes `Q2_K`: 16 groups of 16 elements, each with a 4-bit scale and a 4-bit minimum. */
export function decodeQ2K(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 84, to += SIZE) {
    const d = halfAt(blocks, at + 80);
    const least = halfAt(blocks, at + 82);
    for (let i = 0; i < SIZE; i++) {
      const scale = blocks[at + (i >> 4)]!;
      const quad = blocks[at + 16 + 32 * (i >> 7) + (i & 31)]!;
      const q = (quad >> (2 * ((i >> 5) & 3))) & 3;
      out[to + i] = d * (scale & 15) * q - least * (scale >> 4);
    }
  }
}

/** Decodes `Q3_K`: 16 groups of 16 elements with 6-bit scales; the third bits precede the others. */
export function decodeQ3K(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 110, to += SIZE) {
    const d = halfAt(blocks, at + 108);
    for (let i = 0; i < SIZE; i++) {
      const group = i >> 4;
      const byte = blocks[at + 96 + (group & 7)]!;
      const low = group < 8 ? byte & 15 : byte >> 4;
      const high = (blocks[at + 104 + (group & 3)]! >> (2 * (group >> 2))) & 3;
      const pair = (blocks[at + 32 + 32 * (i >> 7) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
      const isHigh = (blocks[at + (i & 31)]! >> (i >> 5)) & 1;
      out[to + i] = d * ((low | (high << 4)) - 32) * (pair - (isHigh === 1 ? 0 : 4));
    }
  }
}

/** Decodes `Q4_K`: 8 groups of 32 elements with 6-bit scales and minima. */
export function decodeQ4K(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 144, to += SIZE) {
    for (let group = 0; group < 8; group++) {
      const { d, m } = scaleOf(blocks, at, group);
      const from = at + 16 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      const begin = to + 32 * group;
      for (let i = 0; i < 32; i++) out[begin + i] = d * ((blocks[from + i]! >> shift) & 15) - m;
    }
  }
}

/** Decodes `Q5_K`: as `Q4_K`, with the fifth bits of all groups in 32 bytes before the halves of bytes. */
export function decodeQ5K(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 176, to += SIZE) {
    for (let group = 0; group < 8; group++) {
      const { d, m } = scaleOf(blocks, at, group);
      const from = at + 48 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      const begin = to + 32 * group;
      for (let i = 0; i < 32; i++) {
        const high = (blocks[at + 16 + i]! >> group) & 1;
        out[begin + i] = d * (((blocks[from + i]! >> shift) & 15) | (high << 4)) - m;
      }
    }
  }
}

/** Decodes `Q6_K`: 16 groups of 16 elements with signed 8-bit scales. */
export function decodeQ6K(blocks: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; to < out.length; at += 210, to += SIZE) {
    const d = halfAt(blocks, at + 208);
    for (let i = 0; i < SIZE; i++) {
      const half = i >> 7;
      const row = (i >> 5) & 3;
      const low = (blocks[at + 64 * half + 32 * (row & 1) + (i & 31)]! >> (4 * (row >> 1))) & 15;
      const high = (blocks[at + 128 + 32 * half + (i & 31)]! >> (2 * row)) & 3;
      const scale = (blocks[at + 192 + (i >> 4)]! << 24) >> 24;
      out[to + i] = d * scale * ((low | (high << 4)) - 32);
    }
  }
}

/** Returns scale and minimum of a group of `Q4_K` or `Q5_K`, from 12 bytes of interleaved 6-bit numbers. */
function scaleOf(blocks: Uint8Array, at: number, group: number): { readonly d: number; readonly m: number } {
  const byte = (i: number): number => blocks[at + 4 + i]!;
  const isFirst = group < 4;
  const d = isFirst ? byte(group) & 63 : (byte(group + 4) & 15) | ((byte(group - 4) >> 6) << 4);
  const m = isFirst ? byte(group + 4) & 63 : (byte(group + 4) >> 4) | ((byte(group) >> 6) << 4);
  return { d: halfAt(blocks, at) * d, m: halfAt(blocks, at + 2) * m };
}
