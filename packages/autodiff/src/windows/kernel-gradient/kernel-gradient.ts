import { sizeOf } from "@isthmus/core";
import type { Value } from "@isthmus/graph/builder";
import type { Convolution } from "../convolution.ts";
import { each } from "../window.ts";
import { convolveBatch } from "./convolve-batch.ts";
import { multiplyColumns } from "./multiply-columns.ts";
import { multiplyPositions } from "./multiply-positions.ts";
import { multiplyRows } from "./multiply-rows.ts";

/** Taps up to which each may be a slice of its own: a window of 3 by 3. */
const FEW_TAPS = 9;

/** Input channels from which a product with one tap of all of them fills the engine's kernels, 16 numbers wide. */
const WIDE = 16;

/** Input channels, those of an image, up to which all taps together are what fills them. */
const NARROW = 3;

/**
 * Gradient for the kernel of a convolution, `[out, in / group, ...taps]`, in the form that is fastest for its shape.
 *
 * Numbers are GFLOP/s of onnxruntime by processor time of one thread while the machine did other work too, so that those of one
 * line compare (they were measured in one run) and differences below a fifth say nothing; `bench/gradient.bench.ts --forms`
 * measures them again.
 *
 * @param x - what the windows slide over, `[batch, in, ...extents]`
 * @param given - gradient for the result, `[batch, out, ...counts]`
 */
export function kernelGradient(x: Value, given: Value, convolution: Convolution): Value {
  const { axes, group } = convolution;
  const taps = sizeOf(each(axes, "taps"));
  const [, channels = 0] = x.shape;
  const isStrided = axes.some(({ stride }) => stride > 1);
  // 3x3 in 4 groups of 16: rows 26, a product a tap 35, batch 14; in 32 of 4: 7, 5, 5; depthwise: 2, 1-3, 1.
  // Depthwise 7x7: batch 4 in one convolution, a product a tap 4 in 200 nodes, rows 2.
  if (group > 1) return (taps <= FEW_TAPS ? multiplyRows : convolveBatch)(x, given, convolution);
  // 960 to 320 channels on 7x7: positions 61, columns 40, batch 38.
  if (taps === 1 && !isStrided) return multiplyPositions(x, given, convolution);
  // 7x7 stride 2 of 3 channels: rows 46, columns 40, positions 13. 5x5 of 64: rows 77, columns 78, positions 76, batch 38, but
  // positions take a hundred nodes and columns as many products again for each tap.
  if (taps > FEW_TAPS) return multiplyRows(x, given, convolution);
  // 1x1 stride 2, 32 to 64 channels on 14x14: columns 50, positions 28, batch 6. 3x3 stride 2, 16 to 32 on 28x28: columns 26,
  // positions 24, batch 25, rows 19; 32 to 64 on 14x14: 33, 37, 35, 23. Those tie: columns have 7 nodes where positions have 44.
  // Stride 1, 3 channels on 32x32: columns 50, rows 34, positions 12; one channel on 28x28: 26, 12, 23.
  if (isStrided || channels <= NARROW) return multiplyColumns(x, given, convolution);
  // 4 channels on 28x28: rows 39, columns 22, positions 14; 8 channels: 33, 22, 31.
  if (channels < WIDE) return multiplyRows(x, given, convolution);
  // 16 channels on 28x28: positions 28-36, rows 26, columns 24, batch 19; 32 on 14x14: 45-57, 31, 29, 35; 64 on 7x7: 49-55, 31,
  // 33, 46.
  return multiplyPositions(x, given, convolution);
}
