import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  type Tensor,
  toFloat64,
} from "@isthmus/core";

/** Returns weights in f64, by name. */
export function toDoubles(weights: ReadonlyMap<string, Tensor>): Map<string, Float64Array> {
  return new Map([...weights].map(([name, { data, dtype }]) => [name, toFloat64(data, dtype)]));
}

/** Returns a network of weights with other numbers, rounded to f32. */
export function networkOfDoubles(
  weights: ReadonlyMap<string, Tensor>,
  numbers: ReadonlyMap<string, Float64Array>,
): Checkpoint {
  const rounded = [...weights].map(([name, { shape }]): [string, Tensor] => {
    return [name, createTensor("f32", shape, Float32Array.from(entry(numbers, name, "weight")))];
  });
  return createCheckpoint(new Map(rounded));
}
