import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { fromFloat32Into } from "../../tensor/convert.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { withoutSettings } from "./comfy-settings.ts";
import { damaged, type PackedWeight } from "./packed-weight.ts";
import { readQuantizationSettings } from "./quantization-settings.ts";
import { QUANTIZED_KINDS } from "./quantized-kinds.ts";

/** Number of elements that are dequantised at once. */
const RANGE = 2 ** 20;

/**
 * Returns a checkpoint in which quantised weights are the numbers that they stand for, in f16, bf16 or f32,
 * under their names in the unquantised model. Scales and other parts of them are not listed.
 *
 * All other tensors are unchanged. A checkpoint without quantised weights of a known kind is returned itself.
 * @param checkpoint - checkpoint to read from; the result owns and closes it
 * @throws FormatError if parts of a weight are missing, or contradict each other or the model's settings
 * @throws UnsupportedError if a known scheme is used in an unknown way
 */
export async function readQuantized(checkpoint: Checkpoint): Promise<Checkpoint> {
  const weights = await findWeights(checkpoint);
  if (weights.size === 0) return checkpoint;
  const hidden = new Set([...weights.values()].flatMap(({ parts }) => parts));
  const byName = new Map<string, PackedWeight>();
  const tensors = new Map<string, TensorInfo>();
  for (const [name, info] of checkpoint.tensors) {
    const weight = weights.get(name);
    if (weight === undefined && hidden.has(name)) continue;
    const listed = weight?.name ?? name;
    if (tensors.has(listed))
      throw damaged(checkpoint.source, `"${listed}" must be stored once: it is there as numbers, too`);
    tensors.set(listed, weight?.info ?? info);
    if (weight !== undefined) byName.set(listed, weight);
  }
  return defineCheckpoint({
    source: checkpoint.source,
    tensors,
    metadata: withoutSettings(checkpoint.metadata),
    files: checkpoint.files,
    async readInto(name, begin, out) {
      const weight = byName.get(name);
      if (weight === undefined) return checkpoint.readRangeInto(name, begin, out);
      if (out instanceof Float32Array) return weight.fill(begin, out);
      const numbers = new Float32Array(Math.min(RANGE, out.length));
      for (let at = 0; at < out.length; at += RANGE) {
        const part = out.subarray(at, at + RANGE);
        const some = numbers.subarray(0, part.length);
        await weight.fill(begin + at, some);
        fromFloat32Into(some, weight.info.dtype, part);
      }
    },
    close: () => checkpoint.close(),
  });
}

/** Finds all packed weights, by the names of their tensors of codes. */
async function findWeights(checkpoint: Checkpoint): Promise<Map<string, PackedWeight>> {
  const names = [...checkpoint.tensors.keys()];
  const kinds = QUANTIZED_KINDS.filter(({ sign }) => names.some((name) => sign.test(name)));
  const weights = new Map<string, PackedWeight>();
  if (kinds.length === 0) return weights;
  const settings = await readQuantizationSettings(checkpoint);
  for (const { load } of kinds) {
    const find = await load();
    for (const weight of await find(checkpoint, settings)) weights.set(weight.codes, weight);
  }
  return weights;
}
