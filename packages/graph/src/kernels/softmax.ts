/**
 * Computes probabilities of classes, `exp(logits[i, c]) / sum_c exp(logits[i, c])` of every row, in f64 with
 * the row's maximum subtracted. A row with a NaN becomes a row of NaNs.
 *
 * @param logits - `[examples, classes]` row-major
 * @param out - array for the probabilities, written from its beginning; it may be the logits
 */
export function softmaxInto(
  logits: Float32Array | Float64Array,
  classes: number,
  out: Float64Array,
): Float64Array {
  for (let begin = 0; begin < logits.length; begin += classes) {
    let max = Number.NEGATIVE_INFINITY;
    for (let c = begin; c < begin + classes; c++) max = Math.max(max, logits[c]!);
    let sum = 0;
    for (let c = begin; c < begin + classes; c++) {
      const value = Math.exp(logits[c]! - max);
      out[c] = value;
      sum += value;
    }
    for (let c = begin; c < begin + classes; c++) out[c] = out[c]! / sum;
  }
  return out;
}
