import { at } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { intsAttribute, stringAttribute } from "@isthmus/graph/ir";

/**
 * Geometry of windows that slide over one spatial axis: tap `t`, an element of window `i`, is at
 * `stride i + dilation t - before`.
 */
export interface WindowAxis {
  /** Extent of the axis that windows slide over. */
  readonly extent: number;
  /** Windows along the axis: the extent of the result. */
  readonly count: number;
  /** Elements in a window. */
  readonly taps: number;
  /** Distance between windows. */
  readonly stride: number;
  /** Distance between elements of a window. */
  readonly dilation: number;
  /** Padding in front. */
  readonly before: number;
  /** Padding that the last window reaches over at the end; negative for elements that no window reaches. */
  readonly after: number;
}

/** Extents around a windowed operator, one for each spatial axis. */
export interface WindowExtents {
  /** Extents of the value that windows slide over. */
  readonly extents: readonly number[];
  /** Extents of the result. */
  readonly counts: readonly number[];
  /** Extents of a window. */
  readonly taps: readonly number[];
}

/**
 * Reads the geometry of the windows of a convolution or pool from its attributes and extents. The padding at
 * the end is as far as the last window reaches over, so that windows that do not fit whole (`ceil_mode`) need
 * no special case.
 */
export function readWindow(node: Node, { extents, counts, taps }: WindowExtents): WindowAxis[] {
  const strides = intsAttribute(node, "strides");
  const dilations = intsAttribute(node, "dilations");
  return taps.map((size, i) => {
    const [extent, count] = [at(extents, i, "extent"), at(counts, i, "extent of the result")];
    const stride = strides === undefined ? 1 : at(strides, i, "stride");
    const dilation = dilations === undefined ? 1 : at(dilations, i, "dilation");
    const reach = stride * (count - 1) + dilation * (size - 1) + 1;
    const before = paddingBefore(node, i, reach - extent);
    return { extent, count, taps: size, stride, dilation, before, after: reach - extent - before };
  });
}

/**
 * Returns the padding in front of an axis.
 *
 * Automatic padding is divided in two: the odd element goes to the end for `SAME_UPPER` and to the front
 * otherwise, as onnxruntime does also for `output_shape` without `auto_pad`. If windows do not reach the
 * whole axis (`lacking` is negative), pools are shifted by half of the rest, as the formula gives;
 * convolutions are not.
 * @param lacking - elements of the axis that windows need beyond its extent
 */
function paddingBefore(node: Node, axis: number, lacking: number): number {
  const automatic = stringAttribute(node, "auto_pad", "NOTSET");
  const isShared = automatic.startsWith("SAME") || node.attributes.has("output_shape");
  const padOf = (name: string): number => {
    const pads = intsAttribute(node, name);
    return pads === undefined ? 0 : at(pads, axis, name);
  };
  if (!isShared) return automatic === "VALID" ? 0 : padOf("pads");
  const total = lacking + padOf("output_padding");
  const shared = node.op.endsWith("Pool") ? total : Math.max(0, total);
  return Math.trunc((automatic === "SAME_UPPER" ? shared : shared + 1) / 2);
}

/** Lists one property of every axis, in order. */
export function perAxis(axes: readonly WindowAxis[], property: keyof WindowAxis): number[] {
  return axes.map((axis) => axis[property]);
}
