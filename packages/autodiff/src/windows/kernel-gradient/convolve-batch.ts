import { conv, reshape, slice, transpose, type Value } from "@isthmus/graph/builder";
import type { Convolution } from "../convolution.ts";
import { perAxis } from "../window.ts";

/**
 * Computes the kernel gradient, for any number of groups, by one convolution whose channels are the examples
 * and whose kernel is the gradient `g`, with stride and dilation in each other's place. It takes few nodes
 * whatever the window, but is slow where windows are small.
 */
export function convolveBatch(x: Value, g: Value, { axes, group }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0] = g.shape;
  const [inner, extents, taps] = [channels / group, perAxis(axes, "extent"), perAxis(axes, "taps")];
  const spatial = axes.map((_, i) => i + 2);
  const grouped = reshape(x, [batch, group, inner, ...extents]);
  const turned = transpose(grouped, [2, 1, 0, ...spatial.map((axis) => axis + 1)]);
  const result = conv(reshape(turned, [inner, group * batch, ...extents]), transpose(g, [1, 0, ...spatial]), {
    strides: perAxis(axes, "dilation"),
    dilations: perAxis(axes, "stride"),
    pads: [...perAxis(axes, "before"), ...perAxis(axes, "after").map((pad) => Math.max(0, pad))],
    group,
  });
  // Elements that no window reached make too many windows here.
  const exact = slice(
    result,
    axes.map((axis, i) => ({ axis: i + 2, begin: 0, end: axis.taps })),
  );
  return transpose(reshape(exact, [inner, out, ...taps]), [1, 0, ...spatial]);
}
