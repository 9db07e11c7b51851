import { sizeOf } from "@isthmus/core";
import { matMul, reduceSum, reshape, transposeLast, type Value } from "@isthmus/graph/builder";
import { type Convolution, convolve } from "../convolution.ts";
import { perAxis } from "../window.ts";

/**
 * Computes the kernel gradient, for one group, by one product for each example: the gradient
 * `[out, positions]` times all elements of every window `[positions, in taps]`. A convolution of each channel
 * with the identity lays these out, on all threads and whatever the stride. It computes `taps` products for
 * each element that it lays out: few compared to `out` if windows are small.
 */
export function multiplyColumns(x: Value, g: Value, { axes }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0, ...counts] = g.shape;
  const taps = perAxis(axes, "taps");
  const columns = convolve(x, identityKernels(x, channels, taps), { axes, group: channels });
  const left = reshape(g, [batch, out, sizeOf(counts)]);
  const right = reshape(columns, [batch, channels * sizeOf(taps), sizeOf(counts)]);
  return reshape(reduceSum(matMul(left, transposeLast(right)), { axes: [0] }), [out, channels, ...taps]);
}

/** Makes for each channel and tap a kernel that picks this tap, `[channels taps, 1, ...taps]`. */
function identityKernels({ builder, dtype }: Value, channels: number, taps: readonly number[]): Value {
  const count = sizeOf(taps);
  const kernels = Float64Array.from({ length: channels * count * count }, (_, i) =>
    i % count === Math.floor(i / count) % count ? 1 : 0,
  );
  return builder.numbers(kernels, dtype, [channels * count, 1, ...taps]);
}
