/** Number of the type of most tensors, and of the file, for each name of an encoding. */
interface GgufEncodingInfo {
  /** Name of the type that most matrices get. */
  readonly type: string;
  /** Number in the metadata `general.file_type`, `enum llama_ftype`. */
  readonly fileType: number;
}

/** A quantised encoding of a GGUF file, by its name in llama.cpp. */
export type GgufEncoding =
  | "q4_0"
  | "q4_1"
  | "q5_0"
  | "q5_1"
  | "q8_0"
  | "q2_k"
  | "q3_k_s"
  | "q3_k_m"
  | "q3_k_l"
  | "q4_k_s"
  | "q4_k_m"
  | "q5_k_s"
  | "q5_k_m"
  | "q6_k"
  | "iq4_nl"
  | "iq4_xs";

/**
 * Quantised encodings of GGUF files, by the names of llama.cpp. An encoding with one type gives it to most
 * matrices, and more bits to some; `_s`, `_m` and `_l` differ in how many get more.
 */
const ENCODINGS: Readonly<Record<GgufEncoding, GgufEncodingInfo>> = {
  q4_0: { type: "Q4_0", fileType: 2 },
  q4_1: { type: "Q4_1", fileType: 3 },
  q5_0: { type: "Q5_0", fileType: 8 },
  q5_1: { type: "Q5_1", fileType: 9 },
  q8_0: { type: "Q8_0", fileType: 7 },
  q2_k: { type: "Q2_K", fileType: 10 },
  q3_k_s: { type: "Q3_K", fileType: 11 },
  q3_k_m: { type: "Q3_K", fileType: 12 },
  q3_k_l: { type: "Q3_K", fileType: 13 },
  q4_k_s: { type: "Q4_K", fileType: 14 },
  q4_k_m: { type: "Q4_K", fileType: 15 },
  q5_k_s: { type: "Q5_K", fileType: 16 },
  q5_k_m: { type: "Q5_K", fileType: 17 },
  q6_k: { type: "Q6_K", fileType: 18 },
  iq4_nl: { type: "IQ4_NL", fileType: 25 },
  iq4_xs: { type: "IQ4_XS", fileType: 30 },
};

/** Names of the quantised encodings of GGUF files. */
export const GGUF_ENCODINGS: readonly GgufEncoding[] = Object.keys(ENCODINGS) as GgufEncoding[];

/** Checks whether a name is that of a quantised encoding of GGUF files. */
export function isGgufEncoding(name: string | undefined): name is GgufEncoding {
  return name !== undefined && Object.hasOwn(ENCODINGS, name);
}

/** Returns the main type and the number of an encoding. */
export function describeEncoding(encoding: GgufEncoding): GgufEncodingInfo {
  return ENCODINGS[encoding];
}
