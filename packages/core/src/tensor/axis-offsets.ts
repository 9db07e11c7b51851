import { at } from "../invariant.ts";

/**
 * Returns the offset of each position over some axes into row-major elements, `[positions]`, in row-major
 * order of these axes.
 * @param strides - strides of all axes of the tensor, in elements
 */
export function axisOffsets(
  shape: readonly number[],
  strides: readonly number[],
  axes: readonly number[],
): Int32Array {
  let offsets = Int32Array.of(0);
  for (const axis of axes) {
    const extent = at(shape, axis, "axis");
    const stride = at(strides, axis, "stride");
    const grown = new Int32Array(offsets.length * extent);
    offsets.forEach((offset, i) => {
      for (let e = 0; e < extent; e++) grown[i * extent + e] = offset + e * stride;
    });
    offsets = grown;
  }
  return offsets;
}
