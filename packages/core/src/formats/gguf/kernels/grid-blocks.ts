import { decodeBase64, inflateRaw } from "@isthmus/platform";
import { GRID_BYTES, GRID_DATA } from "./grid-data.ts";
import { halfAt } from "./small-blocks.ts";

/** Elements of a block of the types with a grid. */
const SIZE = 256;

/** Points of a grid: coordinates of one point after the other. */
type Grid = Int8Array;

/** Values of coordinates, and places of grids in their common bytes. */
const TWO = [8, 25, 43] as const;
const GRIDS = {
  iq2Xxs: { begin: 0, bytes: 512, bits: 2, values: TWO },
  iq2Xs: { begin: 512, bytes: 1024, bits: 2, values: TWO },
  iq2S: { begin: 1536, bytes: 2048, bits: 2, values: TWO },
  iq3Xxs: { begin: 3584, bytes: 512, bits: 4, values: [4, 12, 20, 28, 36, 44, 52, 62] },
  iq3S: { begin: 4096, bytes: 1024, bits: 4, values: [1, 3, 5, 7, 9, 11, 13, 15] },
  iq1S: { begin: 5120, bytes: 4096, bits: 2, values: [-1, 0, 1] },
} as const;

let packed: Uint8Array | undefined;
const unpacked = new Map<keyof typeof GRIDS, Grid>();

/** Returns the points of a grid, which are unpacked at the first call. */
function gridOf(name: keyof typeof GRIDS): Grid {
  const earlier = unpacked.get(name);
  if (earlier !== undefined) return earlier;
  packed ??= inflateRaw(decodeBase64(GRID_DATA), { maxOutputLength: GRID_BYTES });
  const { begin, bytes, bits, values } = GRIDS[name];
  const perByte = 8 / bits;
  const grid = new Int8Array(bytes * perByte);
  for (let i = 0; i < grid.length; i++) {
    const byte = packed[begin + Math.floor(i / perByte)]!;
    grid[i] = values[(byte >> (bits * (i % perByte))) & (2 ** bits - 1)]!;
  }
  unpacked.set(name, grid);
  return grid;
}

/** Returns the signs of 8 elements, a bit each, of their first 7: the number of minus signs is even. */
function evenSigns(seven: number): number {
  let parity = seven ^ (seven >> 4);
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return seven | ((parity & 1) << 7);
}

/** Writes the point of a grid, times a scale; each set bit of `signs` turns a sign. */
function writePoint(
  grid: Grid,
  from: number,
  scale: number,
  signs: number,
  out: Float32Array,
  to: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[to + i] = scale * grid[from + i]! * ((signs >> i) & 1 ? -1 : 1);
}

/** Reads a number of 16 bits. */
function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** Reads a number of 32 bits. */
function u32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;
}

/** Decodes `IQ2_XXS`: groups of 32 elements with 4 points, their signs, and a 4-bit scale. */
export function decodeIq2Xxs(blocks: Uint8Array, out: Float32Array): void {
  const grid = gridOf("iq2Xxs");
  for (let at = 0, to = 0; to < out.length; at += 66, to += SIZE) {
    const d = halfAt(blocks, at);
    for (let group = 0; group < 8; group++) {
      const from = at + 2 + 8 * group;
      const rest = u32(blocks, from + 4);
      const scale = d * (0.5 + (rest >>> 28)) * 0.25;
      for (let k = 0; k < 4; k++) {
        const signs = evenSigns((rest >>> (7 * k)) & 127);
        writePoint(grid, 8 * blocks[from + k]!, scale, signs, out, to + 32 * group + 8 * k, 8);
      }
    }
  }
}

/** Decodes `IQ2_XS`: 32 points of 9 bits with 7 signs each, and a 4-bit scale for each 16 elements. */
export function decodeIq2Xs(blocks: Uint8Array, out: Float32Array): void {
  const grid = gridOf("iq2Xs");
  for (let at = 0, to = 0; to < out.length; at += 74, to += SIZE) {
    const d = halfAt(blocks, at);
    for (let k = 0; k < 32; k++) {
      const point = u16(blocks, at + 2 + 2 * k);
      const scale = d * (0.5 + ((blocks[at + 66 + (k >> 2)]! >> (4 * ((k >> 1) & 1))) & 15)) * 0.25;
      writePoint(grid, 8 * (point & 511), scale, evenSigns(point >> 9), out, to + 8 * k, 8);
    }
  }
}

/** Decodes `IQ2_S`: 32 points of 10 bits, their 8 signs, and a 4-bit scale for each 16 elements. */
export function decodeIq2S(blocks: Uint8Array, out: Float32Array): void {
  const grid = gridOf("iq2S");
  for (let at = 0, to = 0; to < out.length; at += 82, to += SIZE) {
    const d = halfAt(blocks, at);
    for (let k = 0; k < 32; k++) {
      const high = (blocks[at + 66 + (k >> 2)]! >> (2 * (k & 3))) & 3;
      const scale = d * (0.5 + ((blocks[at + 74 + (k >> 2)]! >> (4 * ((k >> 1) & 1))) & 15)) * 0.25;
      const point = blocks[at + 2 + k]! | (high << 8);
      writePoint(grid, 8 * point, scale, blocks[at + 34 + k]!, out, to + 8 * k, 8);
    }
  }
}

/** Decodes `IQ3_XXS`: groups of 32 elements with 8 points of 4, their signs, and a 4-bit scale. */
export function decodeIq3Xxs(blocks: Uint8Array, out: Float32Array): void {
  const grid = gridOf("iq3Xxs");
  for (let at = 0, to = 0; to < out.length; at += 98, to += SIZE) {
    const d = halfAt(blocks, at);
    for (let group = 0; group < 8; group++) {
      const rest = u32(blocks, at + 66 + 4 * group);
      const scale = d * (0.5 + (rest >>> 28)) * 0.5;
      for (let k = 0; k < 8; k++) {
        const signs = evenSigns((rest >>> (7 * (k >> 1))) & 127) >> (4 * (k & 1));
        const point = blocks[at + 2 + 8 * group + k]!;
        writePoint(grid, 4 * point, scale, signs, out, to + 32 * group + 4 * k, 4);
      }
    }
  }
}

/** Decodes `IQ3_S`: 64 points of 4 elements and 9 bits, their signs, a 4-bit scale for each 32 elements. */
export function decodeIq3S(blocks: Uint8Array, out: Float32Array): void {
  const grid = gridOf("iq3S");
  for (let at = 0, to = 0; to < out.length; at += 110, to += SIZE) {
    const d = halfAt(blocks, at);
    for (let k = 0; k < 64; k++) {
      const high = (blocks[at + 66 + (k >> 3)]! >> (k & 7)) & 1;
      const signs = blocks[at + 74 + (k >> 1)]! >> (4 * (k & 1));
      const scale = d * (1 + 2 * ((blocks[at + 106 + (k >> 4)]! >> (4 * ((k >> 3) & 1))) & 15));
      const point = blocks[at + 2 + k]! | (high << 8);
      writePoint(grid, 4 * point, scale, signs, out, to + 4 * k, 4);
    }
  }
}

/** Writes 8 coordinates of the grid of `IQ1`, moved by an eighth, times a scale. */
function writeMoved(
  grid: Grid,
  point: number,
  scale: number,
  isDown: boolean,
  out: Float32Array,
  to: number,
): void {
  const move = isDown ? -0.125 : 0.125;
  for (let i = 0; i < 8; i++) out[to + i] = scale * (grid[8 * point + i]! + move);
}

/** Decodes `IQ1_S`: groups of 32 elements with 4 points of 11 bits, a 3-bit scale, and the sign of a move. */
export function decodeIq1S(blocks: Uint8Array, out: Float32Array): void {
  const grid = gridOf("iq1S");
  for (let at = 0, to = 0; to < out.length; at += 50, to += SIZE) {
    const d = halfAt(blocks, at);
    for (let k = 0; k < 32; k++) {
      const rest = u16(blocks, at + 34 + 2 * (k >> 2));
      const point = blocks[at + 2 + k]! | (((rest >> (3 * (k & 3))) & 7) << 8);
      writeMoved(grid, point, d * (2 * ((rest >> 12) & 7) + 1), rest >= 0x8000, out, to + 8 * k);
    }
  }
}

/** Decodes `IQ1_M`: as `IQ1_S`, with a scale for each 16 elements, and the common scale in four pieces. */
export function decodeIq1M(blocks: Uint8Array, out: Float32Array): void {
  const grid = gridOf("iq1S");
  const word = new Uint8Array(2);
  for (let at = 0, to = 0; to < out.length; at += 56, to += SIZE) {
    const half = (i: number): number => blocks[at + 49 + 2 * i]! >> 4;
    word[0] = half(0) | (half(1) << 4);
    word[1] = half(2) | (half(3) << 4);
    const d = halfAt(word, 0);
    for (let k = 0; k < 32; k++) {
      const rest = blocks[at + 32 + (k >> 1)]! >> (4 * (k & 1));
      const scale = (u16(blocks, at + 48 + 2 * (k >> 3)) >> (3 * ((k >> 1) & 3))) & 7;
      const point = blocks[at + k]! | ((rest & 7) << 8);
      writeMoved(grid, point, d * (2 * scale + 1), (rest & 8) !== 0, out, to + 8 * k);
    }
  }
}
