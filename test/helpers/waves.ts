import { sizeOf, type Tensor } from "@isthmus/core";

/** `offset + scale sin(0.01 (i + 1)^2 + seed)`, f32, row-major, as golden/generate-training.py has it. */
export function waves(shape: readonly number[], seed: number, scale: number, offset = 0): Tensor {
  const data = Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => offset + scale * Math.sin(0.01 * (i + 1) * (i + 1) + seed),
  );
  return { dtype: "f32", shape, data };
}
