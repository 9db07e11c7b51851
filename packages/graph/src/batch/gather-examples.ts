import { allocateData, createTensor, entry, sizeOf, type Tensor } from "@isthmus/core";
import type { Batch, DataSet } from "../data-set.ts";

/** Allocates a batch with every tensor that a data set has for an example. */
export function allocateBatch(data: DataSet, size: number): Batch {
  const { inputs, features, labels } = data.read(0, 1);
  const allocate = ({ dtype, shape }: Tensor): Tensor => {
    const all = [size, ...shape.slice(1)];
    return createTensor(dtype, all, allocateData(dtype, sizeOf(all)));
  };
  return {
    inputs: allocate(inputs),
    ...(features && { features: new Map([...features].map(([name, tensor]) => [name, allocate(tensor)])) }),
    labels: new Int32Array(size * labels.length),
  };
}

/** Copies the examples at `indices` of a data set into a batch of as many, and returns it. */
export function gatherExamples(data: DataSet, indices: Uint32Array, out: Batch): Batch {
  if (data.gatherInto !== undefined) return data.gatherInto(indices, out);
  indices.forEach((index, place) => {
    copyExample(data.read(index, index + 1), 0, out, place);
  });
  return out;
}

/** Copies an example of a batch to a place of another batch of the same data. */
export function copyExample(from: Batch, index: number, out: Batch, place: number): void {
  const features = out.features ?? new Map<string, Tensor>();
  copyRow(from.inputs, index, out.inputs, place);
  for (const [name, tensor] of from.features ?? []) {
    copyRow(tensor, index, entry(features, name, "feature"), place);
  }
  const [examples = 1] = from.inputs.shape;
  const count = from.labels.length / examples;
  out.labels.set(from.labels.subarray(index * count, (index + 1) * count), place * count);
}

function copyRow({ data, shape }: Tensor, row: number, out: Tensor, place: number): void {
  const size = sizeOf(shape.slice(1));
  out.data.set(data.subarray(row * size, (row + 1) * size) as never, place * size);
}
