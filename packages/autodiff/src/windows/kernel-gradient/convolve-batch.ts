import { conv, reshape, slice, transpose, type Value } from "@isthmus/graph/builder";
import type { Convolution } from "../convolution.ts";
import { each } from "../window.ts";

/**
 * Kernel gradient, any groups: one convolution whose channels are the examples and whose kernel is the gradient, stride and
 * dilation having changed places. Few nodes whatever the window, but slow where windows are small.
 */
export function convolveBatch(x: Value, given: Value, { axes, group }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0] = given.shape;
  const [inner, extents, taps] = [channels / group, each(axes, "extent"), each(axes, "taps")];
  const spatial = axes.map((_, i) => i + 2);
  const grouped = reshape(x, [batch, group, inner, ...extents]);
  const turned = transpose(grouped, [2, 1, 0, ...spatial.map((axis) => axis + 1)]);
  const result = conv(
    reshape(turned, [inner, group * batch, ...extents]),
    transpose(given, [1, 0, ...spatial]),
    {
      strides: each(axes, "dilation"),
      dilations: each(axes, "stride"),
      pads: [...each(axes, "before"), ...each(axes, "after").map((pad) => Math.max(0, pad))],
      group,
    },
  );
  // Elements that no window reached make windows too many here.
  const exact = slice(
    result,
    axes.map((axis, i) => ({ axis: i + 2, begin: 0, end: axis.taps })),
  );
  return transpose(reshape(exact, [inner, out, ...taps]), [1, 0, ...spatial]);
}
