/** Offset into row-major elements of each position over some axes, `[positions]`, row-major over these axes. */
export function axisOffsets(
  shape: readonly number[],
  strides: readonly number[],
  axes: readonly number[],
): Int32Array {
  let offsets = Int32Array.of(0);
  for (const axis of axes) {
    const extent = shape[axis] ?? 1;
    const stride = strides[axis] ?? 1;
    const grown = new Int32Array(offsets.length * extent);
    offsets.forEach((offset, i) => {
      for (let e = 0; e < extent; e++) grown[i * extent + e] = offset + e * stride;
    });
    offsets = grown;
  }
  return offsets;
}
