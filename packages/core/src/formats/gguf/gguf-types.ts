import { entry } from "../../invariant.ts";
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

/** Loads the decoder of a type, which decodes whole blocks to f32. */
type LoadDecoder = () => DecodeBlocks | Promise<DecodeBlocks>;

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
  /** Loads the decoder of blocks; undefined if elements are stored as `dtype`. */
  readonly decoder?: LoadDecoder;
}

const plain = (name: string, dtype: DType, bytes: number): GgufType => ({
  name,
  dtype,
  blockElements: 1,
  blockBytes: bytes,
});

/** Returns a function that makes entries of the table for types with a number of elements per block. */
const blocksOf =
  (blockElements: number) =>
  (name: string, blockBytes: number, decoder: LoadDecoder): GgufType => ({
    name,
    blockBytes,
    decoder,
    dtype: "f32",
    blockElements,
  });

const small = blocksOf(32);
const large = blocksOf(256);

// Rare types, and the tables of some, are loaded if a file has them.
const grids = () => import("./kernels/grid-blocks.ts");
const fewValues = () => import("./kernels/few-values.ts");

/**
 * Supported types of tensors, by their number in a file.
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, `enum ggml_type`
 */
export const GGUF_TYPES: ReadonlyMap<number, GgufType> = new Map([
  [0, plain("F32", "f32", 4)],
  [1, plain("F16", "f16", 2)],
  [2, small("Q4_0", 18, () => (blocks, out) => decodeQ4(blocks, out, false))],
  [3, small("Q4_1", 20, () => (blocks, out) => decodeQ4(blocks, out, true))],
  [6, small("Q5_0", 22, () => (blocks, out) => decodeQ5(blocks, out, false))],
  [7, small("Q5_1", 24, () => (blocks, out) => decodeQ5(blocks, out, true))],
  [8, small("Q8_0", 34, () => decodeQ8)],
  [10, large("Q2_K", 84, () => decodeQ2K)],
  [11, large("Q3_K", 110, () => decodeQ3K)],
  [12, large("Q4_K", 144, () => decodeQ4K)],
  [13, large("Q5_K", 176, () => decodeQ5K)],
  [14, large("Q6_K", 210, () => decodeQ6K)],
  [16, large("IQ2_XXS", 66, async () => (await grids()).decodeIq2Xxs)],
  [17, large("IQ2_XS", 74, async () => (await grids()).decodeIq2Xs)],
  [18, large("IQ3_XXS", 98, async () => (await grids()).decodeIq3Xxs)],
  [19, large("IQ1_S", 50, async () => (await grids()).decodeIq1S)],
  [20, small("IQ4_NL", 18, () => decodeIq4Nl)],
  [21, large("IQ3_S", 110, async () => (await grids()).decodeIq3S)],
  [22, large("IQ2_S", 82, async () => (await grids()).decodeIq2S)],
  [23, large("IQ4_XS", 136, () => decodeIq4Xs)],
  [24, plain("I8", "i8", 1)],
  [25, plain("I16", "i16", 2)],
  [26, plain("I32", "i32", 4)],
  [27, plain("I64", "i64", 8)],
  [28, plain("F64", "f64", 8)],
  [29, large("IQ1_M", 56, async () => (await grids()).decodeIq1M)],
  [30, plain("BF16", "bf16", 2)],
  [34, large("TQ1_0", 54, async () => (await fewValues()).decodeTq1)],
  [35, large("TQ2_0", 66, async () => (await fewValues()).decodeTq2)],
  [39, small("MXFP4", 17, async () => (await fewValues()).decodeMxfp4)],
  [40, blocksOf(64)("NVFP4", 36, async () => (await fewValues()).decodeNvfp4)],
]);

/** Names of types that are known and not read, by their number: old layouts, and layouts of one machine. */
const UNREAD: ReadonlyMap<number, string> = new Map([
  [4, "Q4_2"],
  [5, "Q4_3"],
  [9, "Q8_1"],
  [15, "Q8_K"],
  [31, "Q4_0_4_4"],
  [32, "Q4_0_4_8"],
  [33, "Q4_0_8_8"],
  [36, "IQ4_NL_4_4"],
  [37, "IQ4_NL_4_8"],
  [38, "IQ4_NL_8_8"],
  [41, "Q1_0"],
  [42, "Q2_0"],
]);

/** Describes the number of a type that is not read, with its name if it has one. */
export function describeUnread(number: number): string {
  const name = UNREAD.get(number);
  return name === undefined ? `number ${number}` : `${name}, number ${number}`;
}

/**
 * Returns a type by its number.
 * @param number - number of a type in the table
 */
export function ggufTypeOf(number: number): GgufType {
  return entry(GGUF_TYPES, number, "type");
}

/** Numbers of the types in a file by their names. */
export const GGUF_NUMBERS: ReadonlyMap<string, number> = new Map(
  [...GGUF_TYPES].map(([number, { name }]) => [name, number]),
);
