import { numbersOf } from "../tensors.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import type { Window } from "./window.ts";

/** For every window along an axis, the positions within the input that it covers. */
function coveredBy({ taps, strides, dilations, pads }: Window, axis: 0 | 1, extent: number): number[][] {
  const [tap, stride, dilation] = [taps[axis], strides[axis], dilations[axis]];
  const [before, after] = pads[axis];
  const windows = Math.floor((extent + before + after - dilation * (tap - 1) - 1) / stride) + 1;
  return Array.from({ length: windows }, (_, window) =>
    Array.from({ length: tap }, (_, at) => window * stride + at * dilation - before).filter(
      (position) => position >= 0 && position < extent,
    ),
  );
}

/**
 * Row-major positions, in all of `x [batch, channels, (height,) width]`, of the first largest element of every window. In
 * plain JavaScript, since TensorFlow.js finds them neither on every backend nor for dilated windows.
 */
export function findMaxima(tf: Tfjs, x: TfTensor, window: Window): TfTensor {
  const [batch = 0, channels = 0, ...spatial] = x.shape;
  const [height, width] = spatial.length === 1 ? [1, spatial[0] ?? 1] : [spatial[0] ?? 1, spatial[1] ?? 1];
  const rows = coveredBy(window, 0, height);
  const columns = coveredBy(window, 1, width);
  const values = numbersOf(x);
  const found: number[] = [];
  for (let image = 0; image < batch * channels; image++) {
    for (const row of rows) {
      const begins = row.map((y) => (image * height + y) * width);
      for (const column of columns) found.push(largestIn(values, begins, column));
    }
  }
  const extents = spatial.length === 1 ? [columns.length] : [rows.length, columns.length];
  return tf.tensor(Int32Array.from(found), [batch, channels, ...extents], "int32");
}

function largestIn(values: readonly number[], begins: readonly number[], column: readonly number[]): number {
  let best = -1;
  for (const begin of begins) {
    for (const x of column) {
      if (best < 0 || (values[begin + x] ?? 0) > (values[best] ?? 0)) best = begin + x;
    }
  }
  return best;
}
