import { DTYPES } from "@isthmus/core";
import type { Batch, DataSet } from "../data-set.ts";

/** Label of a position that does not count. */
const NOTHING = -1;

/** Name of the attention mask in data sets. */
const MASK = "attention_mask";

/**
 * Returns the labels of every position of some examples: the class of the position, or the token
 * of the next position, so that the last position does not count. Positions that an attention
 * mask leaves out do not count.
 *
 * @param length - number of positions of an example
 * @returns `[examples * length]`, negative for positions that do not count; undefined if
 *   the data have no such labels
 */
export function targetsOf(
  { inputs, labels, features }: Batch,
  { labelling = "example" }: Pick<DataSet, "labelling">,
  length: number,
): Int32Array | undefined {
  const [examples = 0] = inputs.shape;
  const isPerPosition = labels.length === examples * length;
  if (labelling === "position") return isPerPosition ? labels : undefined;
  if (labelling === "next") return isPerPosition ? shift(labels, length) : undefined;
  const isText = inputs.shape.length === 2 && inputs.shape[1] === length && !DTYPES[inputs.dtype].float;
  if (!isText || length < 2) return undefined;
  const tokens = Int32Array.from(inputs.data, Number);
  const mask = features?.get(MASK);
  if (mask?.data.length === tokens.length) {
    for (let i = 0; i < tokens.length; i++) if (Number(mask.data[i]) === 0) tokens[i] = NOTHING;
  }
  return shift(tokens, length);
}

/** Shifts rows `[rows, length]` by one to the left; the last position of each does not count. */
function shift(rows: Int32Array, length: number): Int32Array {
  const shifted = new Int32Array(rows.length).fill(NOTHING);
  for (let begin = 0; begin < rows.length; begin += length) {
    shifted.set(rows.subarray(begin + 1, begin + length), begin);
  }
  return shifted;
}
