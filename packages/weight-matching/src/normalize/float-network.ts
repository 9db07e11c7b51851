import {
  type Checkpoint,
  createCheckpoint,
  DTYPES,
  defineCheckpoint,
  fromFloat32Into,
  type Tensor,
  toFloat32,
} from "@isthmus/core";
import { assertFinite } from "../weights/read-parameters.ts";

/**
 * Reads a network into memory with all floating-point tensors as f32, so that steps on it are neither rounded
 * to a narrower type nor done again at each reading.
 * @throws InputError if a value is NaN or infinite; the tensor is named
 */
export async function readAsFloats(checkpoint: Checkpoint): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    const { data } = await checkpoint.read(name);
    if (!DTYPES[dtype].float) {
      tensors.set(name, { dtype, shape, data });
      continue;
    }
    const values = toFloat32(data, dtype);
    assertFinite(values, name, checkpoint.source);
    tensors.set(name, { dtype: "f32", shape, data: values });
  }
  return createCheckpoint(tensors, checkpoint.metadata, checkpoint.source);
}

/**
 * Returns a network that was changed in f32 with the element types that it had before: each tensor is rounded
 * once, when it is read.
 */
export function withTypesOf(network: Checkpoint, before: Checkpoint): Checkpoint {
  const { tensors, metadata } = before;
  return defineCheckpoint({
    source: network.source,
    tensors,
    metadata,
    inputs: [before],
    async readInto(name, begin, out) {
      const dtype = tensors.get(name)?.dtype ?? "f32";
      if (!DTYPES[dtype].float || dtype === "f32") return network.readRangeInto(name, begin, out);
      const values = new Float32Array(out.length);
      await network.readRangeInto(name, begin, values);
      fromFloat32Into(values, dtype, out);
    },
  });
}
