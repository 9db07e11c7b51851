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

/** Channels from which a product with one tap of all of them fills the engine's kernels, 16 numbers wide. */
const WIDE = 16;

/**
 * Gradient for the kernel of a convolution, `[out, in / group, ...taps]`, in the form that is fastest for its shape; numbers
 * are GFLOP/s of onnxruntime on one thread, of a machine whose matrix products reach 100.
 *
 * @param x - what the windows slide over, `[batch, in, ...extents]`
 * @param given - gradient for the result, `[batch, out, ...counts]`
 */
export function kernelGradient(x: Value, given: Value, convolution: Convolution): Value {
  const { axes, group } = convolution;
  const taps = sizeOf(each(axes, "taps"));
  const isStrided = axes.some(({ stride }) => stride > 1);
  // Groups, 3x3: rows 26, taps 35, columns 24, batch 14 (4 groups of 16); 7, 5, 5, 5 (32 of 4); depthwise 2, 2-3, 1, 1.
  // Depthwise 7x7: batch 4 in one convolution, taps 4 in 200 nodes, rows 2.
  if (group > 1) return (taps <= FEW_TAPS ? multiplyRows : convolveBatch)(x, given, convolution);
  // 1x1, 64 channels on 28x28: positions 67, columns 74, batch 17.
  if (taps === 1) return multiplyPositions(x, given, convolution);
  // 5x5, 7x7, ...: a product a row of taps, not one a tap.
  if (taps > FEW_TAPS) return multiplyRows(x, given, convolution);
  // One channel, 28x28: columns 29, positions 21, batch 15. Stride 2, 16 to 32 channels: columns 35 (two threads: 79),
  // positions 43 (27), batch 12.
  if (isStrided || (x.shape[1] ?? 0) < WIDE) return multiplyColumns(x, given, convolution);
  // 16 channels on 28x28 / 32 on 14x14 / 64 on 7x7: positions 50 / 65 / 67, columns 29 / 30 / 38, batch 16 / 26 / 33.
  return multiplyPositions(x, given, convolution);
}
