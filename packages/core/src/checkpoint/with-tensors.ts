import { MismatchError } from "../errors.ts";
import { convertInto } from "../tensor/convert.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { defineCheckpoint } from "./define-checkpoint.ts";

/**
 * Returns a checkpoint with some of its tensors replaced, lazily.
 *
 * Names, order, metadata and element types are unchanged; new tensors are converted to the element types of
 * the checkpoint. So results in f32 can be stored in a bf16 checkpoint, and tensors outside the computation,
 * such as counters, are kept.
 *
 * @param tensors - new tensors by name, each with the shape of the checkpoint's tensor
 * @throws MismatchError if the checkpoint has no tensor of that name, or its shape differs
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTensor, openCheckpoint, withTensors } from "@isthmus/core";
 *
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const zeros = createTensor("f32", [10], new Float32Array(10));
 * const unbiased = withTensors(network, new Map([["layers.3.bias", zeros]]));
 * const { dtype, data } = await unbiased.read("layers.3.bias"); // of the checkpoint's own type
 * assert.deepEqual([dtype, data.every((value) => value === 0)], ["f16", true]);
 * assert.equal(unbiased.tensors.size, network.tensors.size);
 * await network.close();
 * ```
 */
export function withTensors(base: Checkpoint, tensors: ReadonlyMap<string, Tensor>): Checkpoint {
  for (const [name, tensor] of tensors) assertReplaces(base, name, tensor);
  return defineCheckpoint({
    source: base.source,
    tensors: base.tensors,
    metadata: base.metadata,
    inputs: [base],
    async readInto(name, begin, out) {
      const tensor = tensors.get(name);
      const info = base.tensors.get(name);
      if (tensor === undefined || info === undefined) return base.readRangeInto(name, begin, out);
      const data = tensor.data.subarray(begin, begin + out.length);
      convertInto({ dtype: tensor.dtype, data }, { dtype: info.dtype, data: out });
    },
  });
}

function assertReplaces(base: Checkpoint, name: string, { shape }: Tensor): void {
  const info = base.tensors.get(name);
  if (info !== undefined && sameShape(info.shape, shape)) return;
  const rule = info === undefined ? "there must be a tensor of that name" : "its shape must stay";
  const value =
    info === undefined ? "there is none" : `${formatShape(info.shape)} is not ${formatShape(shape)}`;
  throw new MismatchError(`Cannot replace "${name}" of "${base.source}" as ${rule}: ${value}`, {
    parameters: [name],
  });
}
