import type { Node } from "@isthmus/graph";
import { intsAttribute, stringAttribute } from "@isthmus/graph/ir";

/** How a window slides over one spatial axis: element `tap` of window `i` is at `stride i + dilation tap - before`. */
export interface WindowAxis {
  /** Extent of what the window slides over. */
  readonly extent: number;
  /** Windows along the axis: the extent of the result. */
  readonly count: number;
  /** Elements in a window. */
  readonly taps: number;
  /** Distance of windows. */
  readonly stride: number;
  /** Distance of elements within a window. */
  readonly dilation: number;
  /** Padding in front. */
  readonly before: number;
  /** Padding that the last window reaches over at the end; negative for elements that no window reaches. */
  readonly after: number;
}

/** Extents around a windowed operator, one for each spatial axis. */
export interface WindowExtents {
  /** Of what windows slide over. */
  readonly extents: readonly number[];
  /** Of the result. */
  readonly counts: readonly number[];
  readonly taps: readonly number[];
}

/**
 * Reads how the windows of a convolution or pool lie, from its attributes and extents. What the last window reaches over is
 * taken as the padding at the end, so that windows that do not fit whole (`ceil_mode`) need no case of their own.
 */
export function readWindow(node: Node, { extents, counts, taps }: WindowExtents): WindowAxis[] {
  const strides = intsAttribute(node, "strides");
  const dilations = intsAttribute(node, "dilations");
  return taps.map((tap, i) => {
    const [extent = 0, count = 0] = [extents[i], counts[i]];
    const [stride, dilation] = [strides?.[i] ?? 1, dilations?.[i] ?? 1];
    const reach = stride * (count - 1) + dilation * (tap - 1) + 1;
    const before = paddingBefore(node, i, reach - extent);
    return { extent, count, taps: tap, stride, dilation, before, after: reach - extent - before };
  });
}

/**
 * Padding in front of an axis. Where it is automatic, the total is shared out: the odd element goes to the end for
 * `SAME_UPPER` and to the front otherwise, which for `output_shape` without `auto_pad` is what onnxruntime does. There, pools
 * whose windows leave gaps are shifted by half of what they do not reach, as the formula has it; convolutions are not.
 */
function paddingBefore(node: Node, axis: number, lacking: number): number {
  const automatic = stringAttribute(node, "auto_pad", "NOTSET");
  const isShared = automatic.startsWith("SAME") || node.attributes.has("output_shape");
  if (!isShared) return automatic === "VALID" ? 0 : (intsAttribute(node, "pads")?.[axis] ?? 0);
  const total = lacking + (intsAttribute(node, "output_padding")?.[axis] ?? 0);
  const shared = node.op.endsWith("Pool") ? total : Math.max(0, total);
  return Math.trunc((automatic === "SAME_UPPER" ? shared : shared + 1) / 2);
}

/** One property of every axis, in order. */
export function each(axes: readonly WindowAxis[], property: keyof WindowAxis): number[] {
  return axes.map((axis) => axis[property]);
}
