import { entry } from "../invariant.ts";
import type { TensorData } from "../tensor/dtype.ts";
import { createTensor, type Tensor, viewBytes } from "../tensor/tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { defineCheckpoint } from "./define-checkpoint.ts";

/**
 * Creates a checkpoint of tensors in memory, which are not copied and must not change while it is in use.
 *
 * @param tensors - by name, in the order of the checkpoint
 * @param metadata - free-form strings stored beside the tensors
 * @param source - name for messages
 * @throws UsageError if a tensor's array is not the class of its element type.
 * @throws OutOfRangeError if a tensor's array does not have as many elements as its shape.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 *
 * const bias = createTensor("f32", [2], Float32Array.of(1, 2));
 * const checkpoint = createCheckpoint({ bias }, { epoch: "3" });
 * assert.deepEqual(await checkpoint.read("bias"), bias);
 * assert.deepEqual(checkpoint.metadata, { epoch: "3" });
 * ```
 */
export function createCheckpoint(
  tensors: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
  source = "memory",
): Checkpoint {
  const entries = isMap(tensors) ? [...tensors] : Object.entries(tensors);
  const stored = new Map(
    entries.map(([name, { dtype, shape, data }]) => [name, createTensor(dtype, shape, data)]),
  );
  const checkpoint = defineCheckpoint({
    source,
    tensors: stored,
    metadata: { ...metadata },
    async readInto(name, begin, out) {
      copyRange(entry(stored, name, "tensor").data, begin, out);
    },
  });
  return {
    ...checkpoint,
    // Returns the tensor itself rather than a copy: no memory has to be allocated.
    async read(name) {
      return stored.get(name) ?? checkpoint.read(name);
    },
  };
}

function isMap(
  tensors: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
): tensors is ReadonlyMap<string, Tensor> {
  return tensors instanceof Map;
}

function copyRange(data: TensorData, begin: number, out: TensorData): void {
  viewBytes(out).set(viewBytes(data.subarray(begin, begin + out.length)));
}
