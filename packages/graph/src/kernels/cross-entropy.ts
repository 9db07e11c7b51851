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
  for (let i = 0; i < labels.length; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const label = labels[i]!;
    if (label < 0) {
      out.losses[out.begin + i] = 0;
      out.right[out.begin + i] = 0;
      continue;
    }
    const best = indexOfMax(row);
    const max = row[best]!;
    let sum = 0;
    for (const logit of row) sum += Math.exp((logit - max) * scale);
    out.losses[out.begin + i] = Math.log(sum) + (max - row[label]!) * scale;
    out.right[out.begin + i] = best === label && !Number.isNaN(sum) ? 1 : 0;
  }
}

function indexOfMax(row: Float32Array): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if (row[c]! > row[best]!) best = c;
  return best;
}
