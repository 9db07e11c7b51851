import { conv, convTranspose, slice, type Value } from "@isthmus/graph/builder";
import { each, type WindowAxis } from "./window.ts";

/** A convolution: how its windows lie, and in how many groups its channels are. */
export interface Convolution {
  readonly axes: readonly WindowAxis[];
  readonly group: number;
}

/** Applies a convolution to `x [batch, in, ...extents]`: `[batch, out, ...counts]`. */
export function convolve(x: Value, kernel: Value, { axes, group }: Convolution): Value {
  const after = each(axes, "after").map((pad) => Math.max(0, pad));
  const result = conv(x, kernel, {
    strides: each(axes, "stride"),
    dilations: each(axes, "dilation"),
    pads: [...each(axes, "before"), ...after],
    group,
  });
  // Where windows end a whole stride early, as those of transposed convolutions may, there are some too many.
  return slice(
    result,
    axes.map(({ count }, i) => ({ axis: i + 2, begin: 0, end: count })),
  );
}

/** Applies the adjoint of a convolution to `y [batch, out, ...counts]`: `[batch, in, ...extents]`. */
export function convolveTransposed(y: Value, kernel: Value, { axes, group }: Convolution): Value {
  const after = each(axes, "after");
  return convTranspose(y, kernel, {
    strides: each(axes, "stride"),
    dilations: each(axes, "dilation"),
    pads: [...each(axes, "before"), ...after.map((pad) => Math.max(0, pad))],
    outputPads: after.map((pad) => Math.max(0, -pad)),
    group,
  });
}
