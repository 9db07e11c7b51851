import type { DType } from "../../tensor/dtype.ts";
import {
  type DecodeBlocks,
  decodeIq4Nl,
  decodeIq4Xs,
  decodeQ4,
  decodeQ5,
  decodeQ8,
} from "./kernels/small-blocks.ts";
import { decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from "./kernels/super-blocks.ts";

/** Storage of elements of one type in a GGUF file. */
export interface GgufType {
  /** Name of the type in llama.cpp, such as `Q4_K`. */
  readonly name: string;
  /** Element type as which tensors of this type are read. */
  readonly dtype: DType;
  /** Number of elements of a block, which are stored together. */
  readonly blockElements: number;
  /** Bytes of a block. */
  readonly blockBytes: number;
  /** Decodes whole blocks to f32; undefined if elements are stored as `dtype`. */
  readonly decode?: DecodeBlocks;
}

const plain = (name: string, dtype: DType, bytes: number): GgufType => ({
  name,
  dtype,
  blockElements: 1,
  blockBytes: bytes,
});

/** Makes an entry of the table for a type with 32 elements per block. */
const small = (name: string, blockBytes: number, decode: DecodeBlocks): GgufType => ({
  name,
  blockBytes,
  decode,
  dtype: "f32",
  blockElements: 32,
});

/** Makes an entry of the table for a type with 256 elements per block. */
const large = (name: string, blockBytes: number, decode: DecodeBlocks): GgufType => ({
  name,
  blockBytes,
  decode,
  dtype: "f32",
  blockElements: 256,
});

/**
 * Supported types of tensors, by their number in a file.
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, `enum ggml_type`
 */
export const GGUF_TYPES: ReadonlyMap<number, GgufType> = new Map([
  [0, plain("F32", "f32", 4)],
  [1, plain("F16", "f16", 2)],
  [2, small("Q4_0", 18, (blocks, out) => decodeQ4(blocks, out, false))],
  [3, small("Q4_1", 20, (blocks, out) => decodeQ4(blocks, out, true))],
  [6, small("Q5_0", 22, (blocks, out) => decodeQ5(blocks, out, false))],
  [7, small("Q5_1", 24, (blocks, out) => decodeQ5(blocks, out, true))],
  [8, small("Q8_0", 34, decodeQ8)],
  [10, large("Q2_K", 84, decodeQ2K)],
  [11, large("Q3_K", 110, decodeQ3K)],
  [12, large("Q4_K", 144, decodeQ4K)],
  [13, large("Q5_K", 176, decodeQ5K)],
  [14, large("Q6_K", 210, decodeQ6K)],
  [20, small("IQ4_NL", 18, decodeIq4Nl)],
  [23, large("IQ4_XS", 136, decodeIq4Xs)],
  [24, plain("I8", "i8", 1)],
  [25, plain("I16", "i16", 2)],
  [26, plain("I32", "i32", 4)],
  [27, plain("I64", "i64", 8)],
  [28, plain("F64", "f64", 8)],
  [30, plain("BF16", "bf16", 2)],
]);

/** Number of the type of 8-bit blocks, the only quantised type that can also be written. */
export const Q8_0 = 8;
