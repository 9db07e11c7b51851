import { entry, sizeOf } from "@isthmus/core";
import type { LinearOperator } from "./linear-operator.ts";

/** A diagonal block of an operator. */
export interface OperatorBlock extends LinearOperator {
  /** Extracts the part of a vector of the whole operator that belongs to the block. */
  readonly cut: (vector: Float64Array) => Float64Array;
}

/**
 * Restricts an operator to some of its tensors: the block of the matrix that their rows and columns have in
 * common. A product costs as much as one with the whole operator.
 * @param names - tensors of the operator, each once
 */
export function restrictOperator(operator: LinearOperator, names: readonly string[]): OperatorBlock {
  const tensors = new Map(operator.layout.map((tensor) => [tensor.name, tensor]));
  let dimension = 0;
  const parts = names.map((name) => {
    const tensor = entry(tensors, name, "tensor");
    const [offset, size] = [dimension, sizeOf(tensor.shape)];
    dimension += size;
    return { tensor: { ...tensor, offset }, offset, size, from: tensor.offset };
  });
  const whole = new Float64Array(operator.dimension);
  const product = new Float64Array(operator.dimension);
  const cutInto = (vector: Float64Array, out: Float64Array): void => {
    for (const { from, offset, size } of parts) out.set(vector.subarray(from, from + size), offset);
  };
  return {
    dimension,
    layout: parts.map(({ tensor }) => tensor),
    async apply(vector, out) {
      whole.fill(0);
      for (const { from, offset, size } of parts) whole.set(vector.subarray(offset, offset + size), from);
      await operator.apply(whole, product);
      cutInto(product, out);
    },
    cut(vector) {
      const part = new Float64Array(dimension);
      cutInto(vector, part);
      return part;
    },
  };
}
