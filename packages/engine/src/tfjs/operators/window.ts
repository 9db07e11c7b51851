import { intAttribute, intsAttribute, stringAttribute } from "@isthmus/graph/ir";
import { cannotCompute, type OperatorContext } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

/** How a window moves over the two spatial axes of an image; signals of one axis are images of one row. */
export interface Window {
  /** Height and width. */
  readonly taps: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Elements added before and after rows and columns. */
  readonly pads: readonly [readonly [number, number], readonly [number, number]];
}

/**
 * The window of a convolution or a pooling.
 * @param extents - of the spatial axes of the input
 * @param kernel - of the spatial axes of the window
 */
export function windowOf(
  context: OperatorContext,
  extents: readonly number[],
  kernel: readonly number[],
): Window {
  const { node } = context;
  const rank = extents.length;
  if (rank < 1 || rank > 2) {
    throw cannotCompute(context, "it must have one or two spatial axes", `it has ${rank}`);
  }
  const list = (name: string) => intsAttribute(node, name) ?? Array<number>(rank).fill(1);
  const [strides, dilations] = [list("strides"), list("dilations")];
  const pads = extents.map((extent, axis): [number, number] =>
    padsOf(context, { extent, axis, rank }, [kernel[axis] ?? 1, strides[axis] ?? 1, dilations[axis] ?? 1]),
  );
  return {
    taps: asPair(kernel, 1),
    strides: asPair(strides, 1),
    dilations: asPair(dilations, 1),
    pads: asPair(pads, [0, 0]),
  };
}

function asPair<T>(values: readonly T[], fallback: T): readonly [T, T] {
  const [first = fallback, second] = values;
  return second === undefined ? [fallback, first] : [first, second];
}

function padsOf(
  { node }: OperatorContext,
  { extent, axis, rank }: { readonly extent: number; readonly axis: number; readonly rank: number },
  [tap, stride, dilation]: readonly [number, number, number],
): [number, number] {
  const mode = stringAttribute(node, "auto_pad", "NOTSET");
  const reach = dilation * (tap - 1) + 1;
  if (mode === "SAME_UPPER" || mode === "SAME_LOWER") {
    const total = Math.max(0, (Math.ceil(extent / stride) - 1) * stride + reach - extent);
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    return mode === "SAME_UPPER" ? [less, more] : [more, less];
  }
  const given = mode === "VALID" ? undefined : intsAttribute(node, "pads");
  const [before, after] = [given?.[axis] ?? 0, given?.[axis + rank] ?? 0];
  return [before, after + (intAttribute(node, "ceil_mode", 0) === 1 ? ceilPad(extent + before + after) : 0)];

  /** With `ceil_mode` a last window may reach over the end, if it begins within the input or the pad before it. */
  function ceilPad(padded: number): number {
    let windows = Math.ceil((padded - reach) / stride) + 1;
    if ((windows - 1) * stride >= extent + before) windows -= 1;
    return Math.max(0, (windows - 1) * stride + reach - padded);
  }
}

/** `[batch, channels, (height,) width]` as `[batch, height, width, channels]`, which all backends compute on. */
export function toImage(tf: Tfjs, x: TfTensor): TfTensor {
  const [batch = 0, channels = 0, ...spatial] = x.shape;
  const image = spatial.length === 1 ? tf.reshape(x, [batch, channels, 1, ...spatial]) : x;
  return tf.transpose(image, [0, 2, 3, 1]);
}

/** `[batch, height, width, channels]` back to `[batch, channels, (height,) width]`. */
export function fromImage(tf: Tfjs, image: TfTensor, spatial: number): TfTensor {
  const x = tf.transpose(image, [0, 3, 1, 2]);
  const [batch = 0, channels = 0, , width = 0] = x.shape;
  return spatial === 1 ? tf.reshape(x, [batch, channels, width]) : x;
}
