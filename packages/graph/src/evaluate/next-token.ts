/** Rows of logits, each with the class it should say. */
export interface LabelledRows {
  /** `[rows, classes]`, row-major. */
  readonly logits: Float32Array;
  /** `[rows]` */
  readonly labels: Int32Array;
}

/**
 * The logits of each token but the first of its example, which are those of the position before it, and the tokens themselves.
 * What is said of the last position is left out, as nothing follows it.
 *
 * @param logits - `[examples, length, vocabulary]`, row-major
 * @param tokens - `[examples, length]`, length at least 2
 * @returns `examples * (length - 1)` rows
 */
export function nextTokenRows(logits: Float32Array, tokens: Int32Array, length: number): LabelledRows {
  const examples = tokens.length / length;
  const predicted = length - 1;
  const vocabulary = logits.length / tokens.length;
  const rows = new Float32Array(examples * predicted * vocabulary);
  const labels = new Int32Array(examples * predicted);
  for (let i = 0; i < examples; i++) {
    const first = i * length;
    const own = logits.subarray(first * vocabulary, (first + predicted) * vocabulary);
    rows.set(own, i * predicted * vocabulary);
    labels.set(tokens.subarray(first + 1, first + length), i * predicted);
  }
  return { logits: rows, labels };
}
