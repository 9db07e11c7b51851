import { rowsAtATime, sumExponentials } from "./exponential-sums.ts";

/**
 * Computes the cross-entropy of each example and whether it is classified correctly.
 *
 * `loss[i] = log sum_c exp(logits[i, c]) - logits[i, labels[i]]`, in f64 with the row's maximum subtracted,
 * of logits divided by a temperature. An example is correct if its label is the first maximum of its row. An
 * example whose loss is not a number, because a logit is NaN, is never correct.
 *
 * @param logits - `[examples, classes]` row-major
 * @param labels - `[examples]`, in `[0, classes)`; a negative label has a loss of 0 and is not correct
 * @param out - arrays for losses in nats, and for 0 or 1, written from `out.begin` on
 * @param temperature - number by which logits are divided, above 0
 */
export function crossEntropyInto(
  logits: Float32Array,
  labels: Int32Array,
  out: { readonly losses: Float64Array; readonly right: Float64Array; readonly begin: number },
  temperature = 1,
): void {
  const scale = 1 / temperature;
  const classes = logits.length / labels.length;
  const most = rowsAtATime(classes);
  for (let first = 0; first < labels.length; ) {
    const end = endOfRun(labels, first, most);
    if (end === first) {
      out.losses[out.begin + first] = 0;
      out.right[out.begin + first] = 0;
      first++;
      continue;
    }
    const { sums, bests } = sumExponentials(logits.subarray(first * classes, end * classes), classes, scale);
    for (let i = first; i < end; i++) {
      const label = labels[i]!;
      const best = bests[i - first]!;
      const sum = sums[i - first]!;
      const below = logits[i * classes + best]! - logits[i * classes + label]!;
      out.losses[out.begin + i] = Math.log(sum) + below * scale;
      out.right[out.begin + i] = best === label && !Number.isNaN(sum) ? 1 : 0;
    }
    first = end;
  }
}

/** Returns the end of the rows with labels that follow one another from a row on, at most so many. */
function endOfRun(labels: Int32Array, first: number, most: number): number {
  const limit = Math.min(labels.length, first + most);
  let end = first;
  while (end < limit && labels[end]! >= 0) end++;
  return end;
}
