import { convertData, type Tensor } from "@isthmus/core";
import type { ValueInfo } from "../ir/graph.ts";
import type { Filling } from "./match-inputs.ts";

/**
 * Makes the tensor of an input that the data do not contain, for token ids of a shape.
 *
 * @param input - `[batch, length]`, or `[length]` for positions
 * @param ids - shape of the token ids, `[batch, length]`
 */
export function fillInput(
  { dtype = "i64", shape: declared = ["batch", "length"] }: ValueInfo,
  filling: Filling,
  [batch = 1, length = 1]: readonly number[],
): Tensor {
  // One row for all examples, as positions often are, stays one row.
  const rows = declared.length < 2 || declared[0] === 1 ? 1 : batch;
  const shape = declared.length < 2 ? [length] : [rows, length];
  const values = new Float64Array(rows * length);
  if (filling === "ones") values.fill(1);
  if (filling === "positions") for (let i = 0; i < values.length; i++) values[i] = i % length;
  return { dtype, shape, data: convertData(values, "f64", dtype) };
}
