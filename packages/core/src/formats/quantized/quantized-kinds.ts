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
  {
    sign: /_scale(_inv)?$|\.(scale_weight|comfy_quant)$/,
    load: async () => (await import("./scaled-floats.ts")).findScaledFloats,
  },
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
 * Schemes by the `quant_method` that a config names, whose weights are all read as the numbers that they
 * stand for; of some schemes only the listed values of `format`.
 */
const DEQUANTIZED_METHODS: Readonly<Record<string, readonly string[] | "all">> = {
  bitsandbytes: "all",
  gptq: "all",
  awq: "all",
  fp8: "all",
  fbgemm_fp8: "all",
  mxfp4: "all",
  "compressed-tensors": ["pack-quantized", "float-quantized", "int-quantized", "naive-quantized"],
};

/**
 * Checks whether the weights of a model are read as the numbers that they stand for, by the
 * `quantization_config` of its `config.json`, so that what is made of them is not quantised.
 */
export function isReadAsNumbers(settings: unknown): boolean {
  if (typeof settings !== "object" || settings === null) return false;
  const { quant_method: method, format } = settings as Record<string, unknown>;
  if (typeof method !== "string" || !Object.hasOwn(DEQUANTIZED_METHODS, method)) return false;
  const formats = DEQUANTIZED_METHODS[method];
  return formats === "all" || (typeof format === "string" && formats?.includes(format) === true);
}
