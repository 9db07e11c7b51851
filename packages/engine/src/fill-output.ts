import { formatShape, sameShape, type Tensor } from "@isthmus/core";

/**
 * Copies a computed output into the tensor that the caller gave for it.
 * @param fail - throws an error of the engine with a reason
 * @returns the caller's tensor; the computed one if the caller gave none
 */
export function fillOutput(
  name: string,
  computed: Tensor,
  out: Tensor | undefined,
  fail: (reason: string) => never,
): Tensor {
  if (out === undefined) return computed;
  if (out.dtype !== computed.dtype || !sameShape(out.shape, computed.shape)) {
    fail(
      `the tensor for output "${name}" must be ${computed.dtype} ${formatShape(computed.shape)}: it is ${out.dtype} ${formatShape(out.shape)}`,
    );
  }
  (out.data as Float32Array).set(computed.data as Float32Array);
  return out;
}
