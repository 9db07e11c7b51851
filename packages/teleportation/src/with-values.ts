import {
  allocateData,
  type Checkpoint,
  createTensor,
  DTYPES,
  fromFloat64Into,
  type Tensor,
  withTensors,
} from "@isthmus/core";
import type { Doubles } from "./element.ts";

/** Returns a network with other values of its weights, in the element types that it had. */
export async function withValues(network: Checkpoint, values: Doubles): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const [name, info] of network.tensors) {
    const data = values.get(name);
    if (data !== undefined && DTYPES[info.dtype].float) tensors.set(name, tensorOf(info, data));
  }
  return withTensors(network, tensors);
}

/** Makes a tensor of one element type and shape. */
export const tensorOf = ({ dtype, shape }: Omit<Tensor, "data">, values: Float64Array): Tensor =>
  createTensor(dtype, shape, fromFloat64Into(values, dtype, allocateData(dtype, values.length)));
