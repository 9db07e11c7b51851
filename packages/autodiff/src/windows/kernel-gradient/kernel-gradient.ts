import { at, sizeOf } from "@isthmus/core";
import type { Value } from "@isthmus/graph/builder";
import type { Convolution } from "../convolution.ts";
import { perAxis } from "../window.ts";
import { convolveBatch } from "./convolve-batch.ts";
import { multiplyColumns } from "./multiply-columns.ts";
import { multiplyPositions } from "./multiply-positions.ts";
import { multiplyRows } from "./multiply-rows.ts";

/** Taps up to which each tap may be one slice: a window of 3 by 3. */
const FEW_TAPS = 9;

/**
 * Input channels from which a product with one tap of all of them fills the
 * engine's kernels, 16 numbers wide.
 */
const WIDE = 16;

/** Input channels, as many as an image has, up to which only all taps together fill the kernels. */
const NARROW = 3;

/**
 * Computes the gradient for the kernel of a convolution, `[out, in / group, ...taps]`, in the form
 * that is fastest for its shape.
 *
 * Numbers in the comments are GFLOP/s of onnxruntime by processor time of one thread while the machine did
 * other work too. Numbers of one line were measured in one run and can be compared; differences below a fifth
 * say nothing. `bench/gradient.bench.ts --forms` measures them again.
 *
 * @param x - value that the windows slide over, `[batch, in, ...extents]`
 * @param g - gradient for the result, `[batch, out, ...counts]`
 */
export function kernelGradient(x: Value, g: Value, convolution: Convolution): Value {
  const { axes, group } = convolution;
  const taps = sizeOf(perAxis(axes, "taps"));
  const channels = at(x.shape, 1, "axis");
  const isStrided = axes.some(({ stride }) => stride > 1);
  // 3x3 in 4 groups of 16: rows 26, a product a tap 35, batch 14; in 32 of 4: 7, 5, 5; depthwise: 2, 1-3, 1.
  // Depthwise 7x7: batch 4 in one convolution, a product a tap 4 in 200 nodes, rows 2.
  if (group > 1) return (taps <= FEW_TAPS ? multiplyRows : convolveBatch)(x, g, convolution);
  // 960 to 320 channels on 7x7: positions 61, columns 40, batch 38.
  if (taps === 1 && !isStrided) return multiplyPositions(x, g, convolution);
  // 7x7 stride 2 of 3 channels: rows 46, columns 40, positions 13. 5x5 of 64: rows 77, columns 78, positions
  // 76, batch 38, but positions take a hundred nodes and columns as many products again for each tap.
  if (taps > FEW_TAPS) return multiplyRows(x, g, convolution);
  // 1x1 stride 2, 32 to 64 channels on 14x14: columns 50, positions 28, batch 6. 3x3 stride 2, 16 to 32 on
  // 28x28: columns 26, positions 24, batch 25, rows 19; 32 to 64 on 14x14: 33, 37, 35, 23. Columns and
  // positions tie there, but columns have 7 nodes and positions 44. Stride 1, 3 channels on 32x32: columns
  // 50, rows 34, positions 12; one channel on 28x28: 26, 12, 23.
  if (isStrided || channels <= NARROW) return multiplyColumns(x, g, convolution);
  // 4 channels on 28x28: rows 39, columns 22, positions 14; 8 channels: 33, 22, 31.
  if (channels < WIDE) return multiplyRows(x, g, convolution);
  // 16 channels on 28x28: positions 28-36, rows 26, columns 24, batch 19; 32 on 14x14: 45-57, 31, 29, 35;
  // 64 on 7x7: 49-55, 31, 33, 46.
  return multiplyPositions(x, g, convolution);
}
