import { sizeOf, type TensorInfo } from "@isthmus/core";

/** Position of the elements of a tensor in an update that is one row of numbers. */
export interface TensorPlacement {
  /** Position of the first element. */
  readonly begin: number;
  /** Number of elements. */
  readonly elements: number;
}

/** Layout of tensors one after another. */
export interface SecureLayout {
  /** Place of each tensor, by name, in the order of the tensors. */
  readonly places: ReadonlyMap<string, TensorPlacement>;
  /** Number of elements of all tensors together. */
  readonly elements: number;
}

/** Lays tensors out one after another, in their order, for a secure sum. */
export function layOutTensors(tensors: ReadonlyMap<string, TensorInfo>): SecureLayout {
  const places = new Map<string, TensorPlacement>();
  let begin = 0;
  for (const [name, { shape }] of tensors) {
    const elements = sizeOf(shape);
    places.set(name, { begin, elements });
    begin += elements;
  }
  return { places, elements: begin };
}
