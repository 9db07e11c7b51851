import { at } from "@isthmus/core";
import { largestIn } from "../kernels/largest-in.ts";
import { numbersOf } from "../tensors.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import type { Window } from "./window.ts";

/** Returns for every window along an axis the positions within the input that it covers. */
function coveredBy({ taps, strides, dilations, pads }: Window, axis: 0 | 1, extent: number): number[][] {
  const [tap, stride, dilation] = [taps[axis], strides[axis], dilations[axis]];
  const [before, after] = pads[axis];
  const windows = Math.floor((extent + before + after - dilation * (tap - 1) - 1) / stride) + 1;
  return Array.from({ length: windows }, (_, window) =>
    Array.from({ length: tap }, (_, i) => window * stride + i * dilation - before).filter(
      (position) => position >= 0 && position < extent,
    ),
  );
}

/**
 * Finds the first largest element of every window and returns its row-major position in all of
 * `x [batch, channels, (height,) width]`. It is computed in plain JavaScript, since TensorFlow.js cannot do
 * it on every backend or for dilated windows.
 */
export function findMaxima(tf: Tfjs, x: TfTensor, window: Window): TfTensor {
  const [batch, channels, ...spatial] = x.shape as [number, number, ...number[]];
  const [height, width] = [
    spatial.length === 1 ? 1 : at(spatial, 0, "axis"),
    at(spatial, spatial.length - 1, "axis"),
  ];
  const rows = coveredBy(window, 0, height);
  const columns = coveredBy(window, 1, width);
  const values = numbersOf(x);
  const positions: number[] = [];
  for (let image = 0; image < batch * channels; image++) {
    for (const row of rows) {
      const begins = row.map((y) => (image * height + y) * width);
      for (const column of columns) positions.push(largestIn(values, begins, column));
    }
  }
  const extents = spatial.length === 1 ? [columns.length] : [rows.length, columns.length];
  return tf.tensor(Int32Array.from(positions), [batch, channels, ...extents], "int32");
}
