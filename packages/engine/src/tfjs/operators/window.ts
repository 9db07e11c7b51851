import { at } from "@isthmus/core";
import { intAttribute, intsAttribute, stringAttribute } from "@isthmus/graph/ir";
import { cannotCompute, type OperatorContext } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

/** Movement of a window over the two spatial axes of an image; signals of one axis are images of one row. */
export interface Window {
  /** Height and width of the window. */
  readonly taps: readonly [number, number];
  /** Rows and columns from one position of the window to the next, `[vertical, horizontal]`, in elements. */
  readonly strides: readonly [number, number];
  /**
   * Rows and columns between neighbouring taps of the window, `[vertical, horizontal]`; 1 for dense windows.
   */
  readonly dilations: readonly [number, number];
  /** Number of elements added before and after rows and columns. */
  readonly pads: readonly [readonly [number, number], readonly [number, number]];
}

/**
 * Reads the window of a convolution or a pooling from the attributes of its node.
 * @param extents - extents of the spatial axes of the input
 * @param kernel - extents of the spatial axes of the window
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
    padsOf(context, { extent, axis, rank }, [
      at(kernel, axis, "tap"),
      at(strides, axis, "stride"),
      at(dilations, axis, "dilation"),
    ]),
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
  const explicit = mode === "VALID" ? undefined : intsAttribute(node, "pads");
  const pads = explicit ?? Array<number>(2 * rank).fill(0);
  const [before, after] = [at(pads, axis, "pad"), at(pads, axis + rank, "pad")];
  return [before, after + (intAttribute(node, "ceil_mode", 0) === 1 ? ceilPad(extent + before + after) : 0)];

  /**
   * Returns the additional pad at the end for a last, incomplete window with `ceil_mode`, if that window
   * begins within the input or the pad before it.
   */
  function ceilPad(padded: number): number {
    let windows = Math.ceil((padded - reach) / stride) + 1;
    if ((windows - 1) * stride >= extent + before) windows -= 1;
    return Math.max(0, (windows - 1) * stride + reach - padded);
  }
}

/**
 * Moves the channels of `[batch, channels, (height,) width]` last, `[batch, height, width, channels]`, for
 * all backends.
 */
export function toImage(tf: Tfjs, x: TfTensor): TfTensor {
  const [batch, channels, ...spatial] = x.shape as [number, number, ...number[]];
  const image = spatial.length === 1 ? tf.reshape(x, [batch, channels, 1, ...spatial]) : x;
  return tf.transpose(image, [0, 2, 3, 1]);
}

/** Moves the channels of `[batch, height, width, channels]` back, to `[batch, channels, (height,) width]`. */
export function fromImage(tf: Tfjs, image: TfTensor, spatial: number): TfTensor {
  const x = tf.transpose(image, [0, 3, 1, 2]);
  const [batch, channels, , width] = x.shape as [number, number, number, number];
  return spatial === 1 ? tf.reshape(x, [batch, channels, width]) : x;
}
