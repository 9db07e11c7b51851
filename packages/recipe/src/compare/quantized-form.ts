import { type Checkpoint, DTYPES } from "@isthmus/core";

/** Format in which the weights of a network are packed. */
export interface QuantizedForm {
  /** Name of the scheme for people, such as `GPTQ or AWQ`. */
  readonly scheme: string;
  /** Name of a tensor that shows the format. */
  readonly tensor: string;
}

/** Endings of names that only packed weights have, and the schemes that write them. */
const ENDINGS: readonly (readonly [pattern: RegExp, scheme: string])[] = [
  [/\.(qweight|qzeros|g_idx)$/, "GPTQ or AWQ"],
  [/\.(absmax|quant_map|nested_absmax|nested_quant_map)$|\.quant_state\./, "bitsandbytes, 4 bits"],
  [/\.(SCB|weight_format)$/, "bitsandbytes, 8 bits"],
  [/\.weight_packed$/, "compressed-tensors"],
  [/\.weight_scale(_inv)?$/, "8 bits with scales beside"],
  [/\.(qscale|weight_zero_point)$/, "integers with scales"],
];

/**
 * Finds out by names and element types whether weights are codes of few bits, whose averages mean nothing:
 * codes of two networks have different scales.
 */
export function findQuantizedForm({ tensors }: Pick<Checkpoint, "tensors">): QuantizedForm | null {
  for (const [pattern, scheme] of ENDINGS) {
    for (const tensor of tensors.keys()) if (pattern.test(tensor)) return { scheme, tensor };
  }
  for (const [tensor, { dtype, shape }] of tensors) {
    const isCode = !DTYPES[dtype].float && dtype !== "i64" && dtype !== "bool";
    if (isCode && shape.length >= 2 && /weight$/.test(tensor)) return { scheme: `${dtype} codes`, tensor };
  }
  return null;
}

/** Number of columns in which values are counted: of a row of 8-bit codes, and of a group of 4-bit codes. */
const [ROW, GROUP] = [1024, 64];
/** Least share of distinct values among the elements of an ordinary row. */
const ORDINARY = 0.35;

/**
 * Checks whether the numbers of a row take as few values as codes of 8 bits do in a row, or codes of 4
 * bits in a group of 64. Zeros do not count, as rows may be sparse.
 */
export function isCoarse(row: Float32Array): boolean {
  return (
    hasFewValues(row.subarray(0, ROW), 256, ROW / 2) || hasFewValues(row.subarray(0, GROUP), 16, GROUP / 2)
  );
}

function hasFewValues(values: Float32Array, most: number, least: number): boolean {
  const nonZero = values.filter((x) => x !== 0);
  if (nonZero.length < least) return false;
  const distinct = new Set(nonZero).size;
  return 2 < distinct && distinct <= most && distinct < ORDINARY * nonZero.length;
}
