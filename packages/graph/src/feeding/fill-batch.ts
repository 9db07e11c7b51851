import { allocateData, convertData, type Tensor } from "@isthmus/core";
import type { Batch } from "../data-set.ts";
import type { ValueInfo } from "../ir/graph.ts";
import type { Filling } from "./match-inputs.ts";

/**
 * Fills a batch up to a number of rows by repeating its last example, for graphs with a fixed batch. These
 * rows have no labels.
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

/**
 * Makes the tensor of an input that the data lack, for token ids of a shape.
 *
 * @param input - `[batch, length]`, or `[length]` for positions
 * @param ids - shape of the token ids, `[batch, length]`
 */
export function fillInput(
  { dtype = "i64", shape: declared = ["batch", "length"] }: ValueInfo,
  filling: Filling,
  [batch = 1, length = 1]: readonly number[],
): Tensor {
  // An input with one row for all examples, as positions often have, keeps one row.
  const rows = declared.length < 2 || declared[0] === 1 ? 1 : batch;
  const shape = declared.length < 2 ? [length] : [rows, length];
  const values = new Float64Array(rows * length);
  if (filling === "ones") values.fill(1);
  if (filling === "positions") for (let i = 0; i < values.length; i++) values[i] = i % length;
  return { dtype, shape, data: convertData(values, "f64", dtype) };
}
