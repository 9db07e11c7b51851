import { conv } from "../../build/operators/convolve.ts";
import { reshape, slice, transpose } from "../../build/operators/layout.ts";
import type { Value } from "../../build/value.ts";
import type { Convolution } from "./convolution.ts";
import { each } from "./window.ts";

/**
 * Gradient for the kernel of a convolution, `[out, in / group, ...taps]`.
 * @param x - what the windows slide over, `[batch, in, ...extents]`
 * @param given - gradient for the result, `[batch, out, ...counts]`
 */
export function kernelGradient(x: Value, given: Value, convolution: Convolution): Value {
  return byConvolution(x, given, convolution);
}

/** One convolution whose channels are the batch and whose kernel is the gradient: for every geometry, with few nodes. */
function byConvolution(x: Value, given: Value, { axes, group }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0] = given.shape;
  const spatial = axes.map((_, i) => i + 3);
  // [batch, group, in / group, ...] to [in / group, group * batch, ...]
  const grouped = reshape(x, [batch, group, channels / group, ...each(axes, "extent")]);
  const input = reshape(transpose(grouped, [2, 1, 0, ...spatial]), [
    channels / group,
    group * batch,
    ...each(axes, "extent"),
  ]);
  const kernel = transpose(given, [1, 0, ...axes.map((_, i) => i + 2)]);
  const result = conv(input, kernel, {
    strides: each(axes, "dilation"),
    dilations: each(axes, "stride"),
    pads: [...each(axes, "before"), ...each(axes, "after").map((pad) => Math.max(0, pad))],
    group,
  });
  const exact = slice(
    result,
    axes.map(({ taps }, i) => ({ axis: i + 2, begin: 0, end: taps })),
  );
  return transpose(reshape(exact, [channels / group, out, ...each(axes, "taps")]), [
    1,
    0,
    ...axes.map((_, i) => i + 2),
  ]);
}
