import { conv, convTranspose, slice, type Value } from "@isthmus/graph/builder";
import { perAxis, type WindowAxis } from "./window.ts";

/** Windows of a convolution along each axis of the image, and the number of its groups of channels. */
export interface Convolution {
  /** Windows along each axis of the image, without batch and channels. */
  readonly axes: readonly WindowAxis[];
  /** Number of groups of channels; 1 if every output reads all inputs. */
  readonly group: number;
}

/** Applies a convolution to `x [batch, in, ...extents]` and returns `[batch, out, ...counts]`. */
export function convolve(x: Value, kernel: Value, { axes, group }: Convolution): Value {
  const after = perAxis(axes, "after").map((pad) => Math.max(0, pad));
  const result = conv(x, kernel, {
    strides: perAxis(axes, "stride"),
    dilations: perAxis(axes, "dilation"),
    pads: [...perAxis(axes, "before"), ...after],
    group,
  });
  // The windows of a transposed convolution may end a whole stride early: the convolution then computes too
  // many here.
  return slice(
    result,
    axes.map(({ count }, i) => ({ axis: i + 2, begin: 0, end: count })),
  );
}

/**
 * Applies the adjoint of a convolution to `y [batch, out, ...counts]` and returns `[batch, in, ...extents]`.
 */
export function convolveTransposed(y: Value, kernel: Value, { axes, group }: Convolution): Value {
  const after = perAxis(axes, "after");
  return convTranspose(y, kernel, {
    strides: perAxis(axes, "stride"),
    dilations: perAxis(axes, "dilation"),
    pads: [...perAxis(axes, "before"), ...after.map((pad) => Math.max(0, pad))],
    outputPads: after.map((pad) => Math.max(0, -pad)),
    group,
  });
}
