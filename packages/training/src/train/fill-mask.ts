import { createRandom, fromFloat32Into, type Tensor } from "@isthmus/core";
import type { MaskInput } from "../mode/mask-input.ts";

/**
 * Writes the dropout mask of a step: each element is 0 with probability `ratio`, else `1 / (1 - ratio)`. It depends on the seed,
 * the step and the mask's name only.
 */
export function fillMask(
  { name, ratio, dtype }: MaskInput,
  { data }: Tensor,
  { seed, step }: { readonly seed: number; readonly step: number },
): void {
  const random = createRandom(seed, `mask ${name} of step ${step}`);
  const kept = Math.fround(1 / (1 - ratio));
  const values = dtype === "f32" && data instanceof Float32Array ? data : new Float32Array(data.length);
  for (let i = 0; i < values.length; i++) values[i] = random.uniform() < ratio ? 0 : kept;
  if (values !== data) fromFloat32Into(values, dtype, data);
}
