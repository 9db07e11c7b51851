import { sizeOf } from "@isthmus/core";
import type { Value } from "../../../build/value.ts";
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
 * Gradient for the kernel of a convolution, `[out, in / group, ...taps]`, in the form that is fastest for its shape; numbers
 * are GFLOP/s of onnxruntime on one thread, of a machine whose matrix products reach 100; `bench/gradient.bench.ts --forms` measures them again.
 *
 * @param x - what the windows slide over, `[batch, in, ...extents]`
 * @param given - gradient for the result, `[batch, out, ...counts]`
 */
export function kernelGradient(x: Value, given: Value, convolution: Convolution): Value {
  const { axes, group } = convolution;
  const taps = sizeOf(each(axes, "taps"));
  const [, channels = 0] = x.shape;
  const isStrided = axes.some(({ stride }) => stride > 1);
  // Groups, 3x3: rows 26, taps 35, columns 24, batch 14 (4 groups of 16); 7, 5, 5, 5 (32 of 4); depthwise 2, 2-3, 1, 1.
  // Depthwise 7x7: batch 4 in one convolution, taps 4 in 200 nodes, rows 2.
  if (group > 1) return (taps <= FEW_TAPS ? multiplyRows : convolveBatch)(x, given, convolution);
  // 1x1, 960 to 320 channels on 7x7: positions 61, columns 40, batch 38; 16 to 96 on 56x56: 67, 65, 5.
  if (taps === 1 && !isStrided) return multiplyPositions(x, given, convolution);
  // 7x7 stride 2 of 3 channels / 5x5 of 64: rows 46 / 77, positions 13 / 76 in 100 and more nodes, columns 40 / 78 though
  // they compute as many products again for each tap, batch 28 / 38.
  if (taps > FEW_TAPS) return multiplyRows(x, given, convolution);
  // Stride 2, 16 to 32 channels on 28x28: columns 35 (two threads 79), positions 43 (27), rows 45 (32), batch 12.
  // Stride 2, 1x1, 32 to 64 channels on 14x14: columns 47, positions 27, batch 5.
  // Stride 1, one channel on 28x28 / three on 32x32: columns 29 / 50, rows 12 / 34, positions 21 / 12, batch 15.
  if (isStrided || channels <= NARROW) return multiplyColumns(x, given, convolution);
  // 4 / 8 channels on 28x28: rows 39 / 33, columns 22 / 22, positions 14 / 31, batch 15.
  if (channels < WIDE) return multiplyRows(x, given, convolution);
  // 16 channels on 28x28 / 32 on 14x14 / 64 on 7x7: positions 50 / 65 / 67, columns 29 / 30 / 38, batch 16 / 26 / 33.
  return multiplyPositions(x, given, convolution);
}
