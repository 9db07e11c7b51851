import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { InputError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import { streamTensor } from "../../save/stream-tensor.ts";
import { fromFloat32Into, toFloat32 } from "../../tensor/convert.ts";
import { DTYPES, type TensorData } from "../../tensor/dtype.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { withoutSettings } from "./comfy-settings.ts";

/** Encoding of matrices as 8-bit floats with one scale each, as ComfyUI reads them. */
export type ScaledEncoding = "fp8_scaled";

/** Names of the encodings of safetensors with scales beside the tensors. */
export const SCALED_ENCODINGS: readonly ScaledEncoding[] = ["fp8_scaled"];

/** Checks whether a name is that of an encoding with scales beside the tensors. */
export function isScaledEncoding(name: string | undefined): name is ScaledEncoding {
  return SCALED_ENCODINGS.some((encoding) => encoding === name);
}

/** Largest of the 8-bit floats with 4 bits of exponent, 3 bits of mantissa and no infinities. */
const LARGEST = 448;

/** Beginning of the names of the main network in a file of several networks of a diffusion model. */
const MAIN = "model.diffusion_model.";

/** Matrices that are looked up by row, for which ComfyUI reads no scales. */
const EMBEDDING = /(?:^|\.)(?:shared|relative_attention_bias|(?:\w+_)?embed(?:ding|_tokens)?)\.weight$/;

/** Name of the tensor by which ComfyUI knows that a network has scales. */
const MARK = "scaled_fp8";

/**
 * Stores matrices as 8-bit floats with scales, lazily, as ComfyUI reads them: `x.weight` becomes the nearest
 * of the 8-bit floats to each number divided by the scale, the float32 `x.scale_weight`, which is the largest
 * magnitude of the matrix divided by 448; 1 for a matrix of zeros.
 *
 * These are the weights with two axes, except embeddings. In a file of several networks, only the main one,
 * `model.diffusion_model.`, has scales; other tensors are kept. A mark `scaled_fp8` of two numbers says that
 * products are computed in wider floats.
 *
 * Each matrix is read twice, the first time for its scale.
 * @throws InputError if there are no such matrices; when one is read, if its numbers are not finite
 */
export function scaleFloats(checkpoint: Checkpoint): Checkpoint {
  const { source, tensors: stored, metadata } = checkpoint;
  const main = [...stored.keys()].some((name) => name.startsWith(MAIN)) ? MAIN : "";
  const tensors = new Map<string, TensorInfo>();
  const weights = new Map<string, string>();
  for (const [name, info] of stored) {
    const isScaled = name.startsWith(main) && isScaledMatrix(name, info);
    tensors.set(name, isScaled ? { dtype: "f8e4m3", shape: info.shape } : info);
    if (!isScaled) continue;
    const scale = name.replace(/weight$/, "scale_weight");
    tensors.set(scale, { dtype: "f32", shape: [] });
    weights.set(scale, name);
  }
  if (weights.size === 0)
    throw new InputError(
      `Cannot write "${source}" as 8-bit floats with scales as it must have weights that are matrices: it has none`,
      { input: source },
    );
  tensors.set(main + MARK, { dtype: "f8e4m3", shape: [2] });
  const scales = new Map<string, Promise<number>>();
  const scaleOf = (name: string): Promise<number> => {
    const scale = scales.get(name) ?? measureScale(checkpoint, name);
    scales.set(name, scale);
    return scale;
  };
  return defineCheckpoint({
    source,
    tensors,
    metadata: withoutSettings(metadata),
    inputs: [checkpoint],
    async readInto(name, begin, out) {
      const weight = weights.get(name);
      if (weight !== undefined) fromFloat32Into(Float32Array.of(await scaleOf(weight)), "f32", out);
      else if (name === main + MARK) fromFloat32Into(new Float32Array(out.length), "f8e4m3", out);
      else if (tensors.get(name) === stored.get(name)) await checkpoint.readRangeInto(name, begin, out);
      else await fillScaled(checkpoint, { name, begin, out, scale: await scaleOf(name) });
    },
  });
}

function isScaledMatrix(name: string, { dtype, shape }: TensorInfo): boolean {
  if (!DTYPES[dtype].float || shape.length !== 2) return false;
  return /(?:^|\.)weight$/.test(name) && !EMBEDDING.test(name);
}

/** Returns the scale of a matrix, rounded to float32. */
async function measureScale(checkpoint: Checkpoint, name: string): Promise<number> {
  let largest = 0;
  const stream = { name, dtype: "f32", allowNonFinite: false, signal: undefined } as const;
  for await (const data of streamTensor(checkpoint, stream))
    for (const value of data as Float32Array) largest = Math.max(largest, Math.abs(value));
  const scale = Math.fround(largest / LARGEST);
  return scale === 0 ? 1 : scale;
}

/** Elements of a matrix to store, and its scale. */
interface ScaledRange {
  readonly name: string;
  readonly begin: number;
  readonly out: TensorData;
  readonly scale: number;
}

async function fillScaled(checkpoint: Checkpoint, { name, begin, out, scale }: ScaledRange): Promise<void> {
  const { dtype } = entry(checkpoint.tensors, name, "tensor");
  const numbers = await checkpoint.readRange(name, begin, begin + out.length);
  const scaled = toFloat32(numbers, dtype).map((value) =>
    // A scale that was rounded down may make a quotient a little larger than the largest float.
    Math.min(LARGEST, Math.max(-LARGEST, value / scale)),
  );
  fromFloat32Into(scaled, "f8e4m3", out);
}
