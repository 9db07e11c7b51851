/**
 * Mean-free cross-entropy of each example and whether it is classified rightly.
 *
 * `loss[i] = log sum_c exp(logits[i, c]) - logits[i, labels[i]]`, in f64 with the row's maximum taken out;
 * right means that the label is the first maximum of its row. An example whose loss is not a number, as where a
 * logit is NaN, is not classified rightly, whatever the other logits are.
 *
 * @param logits - `[examples, classes]` row-major
 * @param labels - `[examples]`, in `[0, classes)`; a negative one has a loss of 0 and is not right
 * @param out - receives nats and 0 or 1, from `out.begin` on
 */
export function crossEntropyInto(
  logits: Float32Array,
  labels: Int32Array,
  out: { readonly losses: Float64Array; readonly right: Float64Array; readonly begin: number },
): void {
  const classes = logits.length / labels.length;
  for (let i = 0; i < labels.length; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const label = labels[i] ?? 0;
    if (label < 0) {
      out.losses[out.begin + i] = 0;
      out.right[out.begin + i] = 0;
      continue;
    }
    const best = indexOfMax(row);
    const max = row[best] ?? Number.NaN;
    let sum = 0;
    for (const logit of row) sum += Math.exp(logit - max);
    out.losses[out.begin + i] = Math.log(sum) + (max - (row[label] ?? Number.NaN));
    out.right[out.begin + i] = best === label && !Number.isNaN(sum) ? 1 : 0;
  }
}

function indexOfMax(row: Float32Array): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if ((row[c] ?? 0) > (row[best] ?? 0)) best = c;
  return best;
}
