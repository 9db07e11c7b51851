import { at } from "@isthmus/core";
import { add, matMul, mul, reshape, sum, type Value } from "@isthmus/graph/builder";
import { normal } from "../initializer.ts";
import type { FamilyContext, StreamTensor } from "./model-family.ts";

/**
 * Adds to the rows of tokens what a tower of images would add, for texts without an image: zeros.
 *
 * The summand ties the tensors by which images enter the stream to its units: whoever permutes the stream
 * permutes them too, so that images mean the same to an aligned network. Their other axes, which belong to
 * the tower, are held in place by a distinct number for each unit.
 * @param rows - `[N * length, width]`
 */
export function addImages({ network, streamTensors }: FamilyContext, rows: Value): Value {
  if (streamTensors.length === 0) return rows;
  const summands = streamTensors.map(({ name, shape, axis }: StreamTensor) => {
    const tensor = network.weight(name, shape, normal(0.02));
    if (shape.length === 1) return tensor;
    const extent = at(shape, 1 - axis, "axis");
    const unit = network.graph.numbers(
      Float32Array.from({ length: extent }, (_, i) => i + 1),
      "f32",
      axis === 0 ? [extent, 1] : [1, extent],
    );
    return reshape(axis === 0 ? matMul(tensor, unit) : matMul(unit, tensor), [-1]);
  });
  return add(rows, mul(sum(summands), 0));
}
