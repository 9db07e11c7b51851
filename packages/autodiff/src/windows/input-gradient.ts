import { conv, reshape, reverse, transpose, type Value } from "@isthmus/graph/builder";
import { type Convolution, convolveTransposed } from "./convolution.ts";
import { each, type WindowAxis } from "./window.ts";

/** Input channels up to which a transposed convolution is faster: for one it reaches 27 GFLOP/s, the convolution 7. */
const FEW_CHANNELS = 4;

/**
 * Gradient for the input of a convolution, `[batch, in, ...extents]`, from that for its result.
 *
 * At stride 1 a convolution with the reversed kernel, which engines run faster than the transposed convolution: 67-100
 * GFLOP/s against 39-67 at 16 to 128 channels (onnxruntime, one thread), depthwise 6 against 4. At stride 2 the transposed one:
 * 44-49 against 7-14 for a convolution with zeros put between.
 */
export function inputGradient(given: Value, kernel: Value, convolution: Convolution): Value {
  const { axes, group } = convolution;
  const isNarrow = group === 1 && (kernel.shape[1] ?? 0) <= FEW_CHANNELS;
  if (isNarrow || !axes.every(isReversible)) return convolveTransposed(given, kernel, convolution);
  return conv(given, reverseKernel(kernel, group), {
    dilations: each(axes, "dilation"),
    pads: [...axes.map(padBefore), ...axes.map((axis) => reachOf(axis) - axis.after)],
    group,
  });
}

/** Distance of the first and the last element of a window. */
const reachOf = ({ taps, dilation }: WindowAxis) => dilation * (taps - 1);

const padBefore = (axis: WindowAxis) => reachOf(axis) - axis.before;

/** Whether the adjoint is a convolution too: at stride 1, with no more padding than a window reaches. */
function isReversible(axis: WindowAxis): boolean {
  return axis.stride === 1 && padBefore(axis) >= 0 && axis.after <= reachOf(axis);
}

/** `[out, in / group, ...taps]` to `[in, out / group, ...taps]`, taps backwards. */
function reverseKernel(kernel: Value, group: number): Value {
  const [out = 0, inner = 0, ...taps] = kernel.shape;
  const spatial = taps.map((_, i) => i + 2);
  const grouped = reshape(kernel, [group, out / group, inner, ...taps]);
  const turned = transpose(grouped, [0, 2, 1, ...spatial.map((axis) => axis + 1)]);
  return spatial
    .filter((axis) => kernel.shape[axis] !== 1)
    .reduce(reverse, reshape(turned, [group * inner, out / group, ...taps]));
}
