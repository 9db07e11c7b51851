import { DTYPES } from "@isthmus/core";
import type { Batch, DataSet } from "../data-set.ts";

/** What stands for a position of which nothing is to be predicted. */
const NOTHING = -1;

/** Name under which data sets hold an attention mask. */
const MASK = "attention_mask";

/**
 * What logits of every position of some examples should say: the class of the position; or the token of the next one, so that the last
 * predicts nothing. Positions that an attention mask leaves out are not to be predicted.
 *
 * @param length - positions of an example
 * @returns `[examples * length]`, negative where nothing is to be predicted; undefined if the data do not tell
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

/** Rows `[rows, length]` one to the left, with nothing in the place that is left. */
function shift(rows: Int32Array, length: number): Int32Array {
  const shifted = new Int32Array(rows.length).fill(NOTHING);
  for (let begin = 0; begin < rows.length; begin += length) {
    shifted.set(rows.subarray(begin + 1, begin + length), begin);
  }
  return shifted;
}
