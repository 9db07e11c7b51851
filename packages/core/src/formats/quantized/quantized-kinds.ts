import type { FindPackedWeights } from "./packed-weight.ts";

/** A scheme of quantisation whose weights are read as the numbers that they stand for. */
export interface QuantizedKind {
  /** Pattern of names of tensors that only this scheme and its relatives have. */
  readonly sign: RegExp;
  /** Loads the reader of the scheme, which pages that open other checkpoints do not need. */
  readonly load: () => Promise<FindPackedWeights>;
}

/**
 * All schemes of quantisation that are read. GGUF has its own, as its blocks are element types of the format.
 */
export const QUANTIZED_KINDS: readonly QuantizedKind[] = [
  { sign: /_scale(_inv)?$/, load: async () => (await import("./scaled-floats.ts")).findScaledFloats },
  {
    sign: /\.quant_state\.bitsandbytes__/,
    load: async () => (await import("./bitsandbytes.ts")).findFourBits,
  },
  { sign: /\.SCB$/, load: async () => (await import("./bitsandbytes.ts")).findEightBits },
  { sign: /\.qweight$/, load: async () => (await import("./gptq.ts")).findGptqAndAwq },
  {
    sign: /\.weight_packed$/,
    load: async () => (await import("./compressed-tensors.ts")).findPackedIntegers,
  },
  { sign: /\.weight_scale$/, load: async () => (await import("./compressed-tensors.ts")).findPlainIntegers },
  { sign: /_blocks$/, load: async () => (await import("./mxfp4.ts")).findMxfp4 },
];

/**
 * Values of `quant_method` in the settings of models whose weights are all read as the numbers that they stand
 * for, so that a copy of them is not quantised.
 */
export const DEQUANTIZED_METHODS: ReadonlySet<string> = new Set([
  "bitsandbytes",
  "gptq",
  "awq",
  "compressed-tensors",
  "fp8",
  "fbgemm_fp8",
  "mxfp4",
]);
