import { borrowScratch, type Scratch } from "@isthmus/core";
import type { Numbers } from "./task-vectors.ts";

/** Bytes of one piece of memory in which SIMD kernels work directly. */
const PIECE_BYTES = 2 ** 20;

/** Alignment of arrays in bytes, the size of a cache line. */
const ALIGNMENT = 64;

/** Pieces that are borrowed at present, each with the number of bytes that are taken. */
const pieces: { readonly scratch: Scratch; taken: number }[] = [];
let depth = 0;

/**
 * Calls a synchronous function that computes blocks. Arrays that it allocates by this module lie in the
 * memory of SIMD kernels, and are released when it returns.
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
 * Allocates zeros in the array class in which a tensor is merged. Within `withBlockMemory` they are valid
 * only until it returns.
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
 * Allocates 32-bit patterns of arbitrary content, which are valid as long as arrays of
 * {@link allocateNumbers}.
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
