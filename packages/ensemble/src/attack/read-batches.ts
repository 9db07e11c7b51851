import { createTensor } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { PlacedBatch } from "./attack-source.ts";

/** Batch that may be padded with copies of its last example. */
export interface FilledBatch extends PlacedBatch {
  /** Number of examples without the padding. */
  readonly count: number;
}

/**
 * Reads the examples of a data set in batches of one size; the last batch is padded with copies of its last
 * example.
 */
export function* readBatches(data: DataSet, batch: number): Generator<FilledBatch> {
  for (let begin = 0; begin < data.size; begin += batch) {
    const end = Math.min(begin + batch, data.size);
    const { inputs, labels } = data.read(begin, end);
    const numbers = inputs.data as Float32Array;
    const size = numbers.length / labels.length;
    const filled = new Float32Array(batch * size);
    const classes = new Int32Array(batch);
    for (let row = 0; row < batch; row++) {
      const from = Math.min(row, labels.length - 1);
      filled.set(numbers.subarray(from * size, (from + 1) * size), row * size);
      classes[row] = labels[from] as number;
    }
    const shape = [batch, ...inputs.shape.slice(1)];
    yield { inputs: createTensor("f32", shape, filled), labels: classes, begin, count: end - begin };
  }
}

/** Marks the examples of a batch by 1 that are classified correctly, by the first of the largest logits. */
export function markCorrect(
  logits: Float32Array,
  { labels, begin, count }: FilledBatch,
  marks: Uint8Array,
): void {
  const classes = logits.length / labels.length;
  for (let row = 0; row < count; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    marks[begin + row] = scores.indexOf(Math.max(...scores)) === labels[row] ? 1 : 0;
  }
}

/** Adds up the cross-entropy over the examples of a batch, in f64. */
export function sumOfLosses(logits: Float32Array, { labels, count }: FilledBatch): number {
  const classes = logits.length / labels.length;
  let sum = 0;
  for (let row = 0; row < count; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const largest = Math.max(...scores);
    const total = scores.reduce((powers, score) => powers + Math.exp(score - largest), 0);
    sum += Math.log(total) + largest - (scores[labels[row] as number] as number);
  }
  return sum;
}
