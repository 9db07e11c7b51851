import { borrowScratch, type Scratch } from "@isthmus/core";
import type { Numbers } from "./task-vectors.ts";

/** Bytes of one piece of memory that SIMD kernels work in directly. */
const PIECE_BYTES = 2 ** 20;

/** Arrays begin at multiples of this, a line of the cache. */
const ALIGNMENT = 64;

/** Pieces that are borrowed now; each has a mark up to which it is taken. */
const pieces: { readonly scratch: Scratch; taken: number }[] = [];
let depth = 0;

/**
 * Calls a function that computes blocks at once, without waiting for anything: arrays that it allocates
 * here lie in the memory of SIMD kernels, and are free again when it returns.
 */
export function withBlockMemory<T>(use: () => T): T {
  const count = pieces.length;
  const taken = pieces.at(-1)?.taken ?? 0;
  depth++;
  try {
    return use();
  } finally {
    depth--;
    while (pieces.length > (depth === 0 ? 0 : Math.max(count, 1))) pieces.pop()?.scratch.release();
    const last = pieces.at(-1);
    if (last !== undefined) last.taken = count === 0 ? 0 : taken;
  }
}

/**
 * Allocates numbers that are 0, of the class in which a tensor is merged; within `withBlockMemory` they
 * are only valid until it returns.
 */
export function allocateNumbers(isWide: boolean, length: number): Numbers {
  return allocateUnset(isWide, length).fill(0);
}

/** Allocates numbers of arbitrary content, otherwise as {@link allocateNumbers}. */
export function allocateUnset(isWide: boolean, length: number): Numbers {
  const Class = isWide ? Float64Array : Float32Array;
  const bytes = allocateBytes(length * Class.BYTES_PER_ELEMENT);
  if (bytes === undefined) return new Class(length);
  return new Class(bytes.buffer as ArrayBuffer, bytes.byteOffset, length);
}

/**
 * Allocates 32-bit patterns of arbitrary content, valid as long as what {@link allocateNumbers} allocates.
 */
export function allocatePatterns(length: number): Uint32Array {
  const bytes = allocateBytes(4 * length);
  return bytes === undefined
    ? new Uint32Array(length)
    : new Uint32Array(bytes.buffer, bytes.byteOffset, length);
}

/** Allocates whole numbers of 32 bits, otherwise as {@link allocatePatterns}. */
export function allocateIndices(length: number): Int32Array {
  const { buffer, byteOffset } = allocatePatterns(length);
  return new Int32Array(buffer, byteOffset, length);
}

function allocateBytes(byteLength: number): Uint8Array | undefined {
  if (depth === 0 || byteLength > PIECE_BYTES) return undefined;
  let piece = pieces.at(-1);
  if (piece === undefined || piece.taken + byteLength > PIECE_BYTES) {
    piece = { scratch: borrowScratch(PIECE_BYTES), taken: 0 };
    pieces.push(piece);
  }
  const begin = piece.taken;
  piece.taken = Math.min(PIECE_BYTES, Math.ceil((begin + byteLength) / ALIGNMENT) * ALIGNMENT);
  return piece.scratch.bytes.subarray(begin, begin + byteLength);
}
