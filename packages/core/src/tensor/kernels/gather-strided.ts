import type { TensorData } from "../dtype.ts";

/**
 * Copies elements of any strides into row-major order:
 * `out[row-major position] = source[sum of position * stride]`.
 * @param strides - step along each axis, in elements
 * @param out - output with as many elements as the product of `shape`
 */
export function gatherStrided(
  source: TensorData,
  shape: readonly number[],
  strides: readonly number[],
  out: TensorData,
): void {
  const last = shape.length - 1;
  // A scalar is copied as an axis of one element.
  const length = last < 0 ? 1 : shape[last]!;
  const step = last < 0 ? 1 : strides[last]!;
  const position = new Array<number>(Math.max(last, 0)).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to += length) {
    for (let i = 0; i < length; i++) out[to + i] = source[from + i * step]!;
    for (let axis = last - 1; axis >= 0; axis--) {
      const next = position[axis]! + 1;
      from += strides[axis]!;
      position[axis] = next;
      if (next < shape[axis]!) break;
      from -= next * strides[axis]!;
      position[axis] = 0;
    }
  }
}
