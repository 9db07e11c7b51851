import { allocateData, type Tensor } from "@isthmus/core";
import type { Batch } from "../data-set.ts";

/**
 * Fills a batch up to a number of rows by repeating its last example, for graphs of a fixed batch. There
 * are no labels for these rows.
 */
export function fillBatch(batch: Batch, rows: number): Batch {
  const { inputs, features, labels } = batch;
  return {
    inputs: fillRows(inputs, rows),
    labels,
    ...(features === undefined
      ? {}
      : { features: new Map([...features].map(([name, tensor]) => [name, fillRows(tensor, rows)])) }),
  };
}

function fillRows({ dtype, shape, data }: Tensor, rows: number): Tensor {
  const [examples = 1, ...rest] = shape;
  const width = data.length / examples;
  const filled = allocateData(dtype, rows * width);
  filled.set(data as never);
  const last = data.subarray(data.length - width);
  for (let row = examples; row < rows; row++) filled.set(last as never, row * width);
  return { dtype, shape: [rows, ...rest], data: filled };
}
