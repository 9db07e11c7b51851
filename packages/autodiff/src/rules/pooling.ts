import { at, sizeOf } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import {
  argMax,
  equal,
  expand,
  matMul,
  mul,
  reshape,
  scatterElements,
  type Value,
} from "@isthmus/graph/builder";
import { intAttribute, intsAttribute, stringAttribute } from "@isthmus/graph/ir";
import { gate } from "../gate.ts";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";
import { assertScatterAdds } from "../scatter-adds.ts";
import { areTiles, routeToTiles } from "../windows/route-to-tiles.ts";
import { readWindow, type WindowAxis } from "../windows/window.ts";
import { zeros } from "../zeros.ts";

function windowAxes(context: GradientContext, x: Value, y: Value): WindowAxis[] {
  const taps = intsAttribute(context.node, "kernel_shape");
  if (taps === undefined) return context.refuseVariant("must state its kernel_shape", "left out");
  return readWindow(context.node, { extents: x.shape.slice(2), counts: y.shape.slice(2), taps });
}

/**
 * Differentiates the maximum of every window: `g` to the element that is the maximum, to the first of several
 * in row-major order, as in PyTorch.
 *
 * Comparing tiles with their maxima takes 2.9 ns an element of `x`, the pool itself included. Finding indices
 * takes 4.6 ns (onnxruntime branches at every element) and adding at these indices 1.5 ns more, but this also
 * works for windows that overlap.
 */
const maxPoolRule: GradientRule = (context) => {
  const [x, y, g] = [context.operand(0), context.result(), context.cotangent()];
  const axes = windowAxes(context, x, y);
  return [areTiles(axes) ? routeToTiles({ x, y, g }, axes) : scatterToMaxima(context, x, g)];
};

function scatterToMaxima(context: GradientContext, x: Value, g: Value): Value {
  assertScatterAdds(context);
  const flat = zeros(x, [sizeOf(x.shape)]);
  const added = scatterElements(flat, reshape(maximumIndices(context, x), [-1]), reshape(g, [-1]), {
    axis: 0,
    reduction: "add",
  });
  return reshape(added, x.shape);
}

/**
 * Returns the row-major indices of the maxima: the node's second output if it has one, else the output of a
 * second pool.
 */
function maximumIndices(context: GradientContext, x: Value): Value {
  const { node, outputs, builder } = context;
  const { storage_order: order, ...attributes } = Object.fromEntries(node.attributes);
  const indices = outputs[1];
  if (indices !== undefined && (order?.type !== "int" || order.value === 0)) return indices;
  const { shape } = context.result();
  const types = [
    { dtype: x.dtype, shape },
    { dtype: "i64", shape },
  ] as const;
  return builder.emit("MaxPool", [x], types, { attributes })[1] as Value;
}

/** Differentiates the mean of every window: an even share of `g` to each of its elements. */
const averagePoolRule: GradientRule = (context) => {
  const { node } = context;
  const [x, g] = [context.operand(0), context.cotangent()];
  const axes = windowAxes(context, x, g);
  // The number of elements of a window is a product over the axes, so each axis divides by its count alone.
  return [spreadWindows(g, axes, (i, window) => 1 / countElements(node, axes, { i, window }))];
};

/**
 * Counts the elements of a window along axis `i`, at least 1. Padding counts if the node asks
 * for it (`count_include_pad`); places behind the declared padding, which a last window may
 * reach (`ceil_mode`), never count.
 */
function countElements(
  node: Node,
  axes: readonly WindowAxis[],
  { i, window }: { readonly i: number; readonly window: number },
): number {
  const axis = at(axes, i, "axis");
  const countsPadding = intAttribute(node, "count_include_pad", 0) !== 0;
  const low = countsPadding ? -axis.before : 0;
  const high = axis.extent + (countsPadding ? Math.max(0, declaredAfter(node, axes, i)) : 0);
  const places = Array.from(
    { length: axis.taps },
    (_, tap) => axis.stride * window + axis.dilation * tap - axis.before,
  );
  return Math.max(1, places.filter((place) => place >= low && place < high).length);
}

/** Returns the padding at the end of axis `i` that the node declares, or that automatic padding gives. */
function declaredAfter(node: Node, axes: readonly WindowAxis[], i: number): number {
  if (stringAttribute(node, "auto_pad", "NOTSET") !== "NOTSET") return at(axes, i, "axis").after;
  const pads = intsAttribute(node, "pads");
  return pads === undefined ? 0 : at(pads, axes.length + i, "pad");
}

/** Differentiates the mean over all spatial axes: an even share of `g` to each element. */
const globalAveragePoolRule: GradientRule = (context) => {
  const { shape } = context.operand(0);
  return [expand(mul(context.cotangent(), 1 / sizeOf(shape.slice(2))), shape)];
};

/**
 * Differentiates the maximum over all spatial axes: `g` to the element that is the maximum, to the first of
 * several, as pools over windows do.
 */
const globalMaxPoolRule: GradientRule = (context) => {
  const x = context.operand(0);
  const [batch = 0, channels = 0, ...spatial] = x.shape;
  const planes = reshape(x, [batch, channels, sizeOf(spatial)]);
  const first = reshape(argMax(planes, -1), [batch, channels, 1]);
  const places = x.builder.ints([...Array(sizeOf(spatial)).keys()]);
  const g = reshape(context.cotangent(), [batch, channels, 1]);
  return [reshape(gate(g, equal(places, first)), x.shape)];
};

/** Rules of pools over windows and over all of space. */
export const POOLING_RULES: GradientRules = {
  AveragePool: averagePoolRule,
  GlobalAveragePool: globalAveragePoolRule,
  GlobalMaxPool: globalMaxPoolRule,
  MaxPool: maxPoolRule,
};

/**
 * Spreads one number per window over the elements of the window, from
 * `y [batch, channels, ...counts]` to `[batch, channels, ...extents]`: the adjoint of a weighted sum
 * over windows, for every stride, padding and dilation.
 *
 * It multiplies by a band matrix axis by axis. From 14 to 28 elements it takes 0.4 ns an element of the
 * result (onnxruntime, one thread), in proportion to the extent, and no stride or padding is a special case.
 * @param weight - returns the weight of a window of an axis for each of its elements
 */
function spreadWindows(
  y: Value,
  axes: readonly WindowAxis[],
  weight: (axis: number, window: number) => number,
): Value {
  // The last axis comes first, as rows are fewer then.
  return axes.reduceRight(
    (values, axis, i) => alongAxis(values, i, { axis, weight: (w) => weight(i, w) }),
    y,
  );
}

/** Windows along an axis, and their weights. */
interface AxisSpread {
  readonly axis: WindowAxis;
  readonly weight: (window: number) => number;
}

/** Spreads windows over spatial axis `i`. */
function alongAxis(y: Value, i: number, spread: AxisSpread): Value {
  const { count, extent } = spread.axis;
  const shape = y.shape.with(i + 2, extent);
  const [outer, inner] = [sizeOf(y.shape.slice(0, i + 2)), sizeOf(y.shape.slice(i + 3))];
  const isLast = inner === 1;
  const matrix = y.builder.numbers(
    bandMatrix(spread, !isLast),
    y.dtype,
    isLast ? [count, extent] : [extent, count],
  );
  const product = isLast
    ? matMul(reshape(y, [outer, count]), matrix)
    : matMul(matrix, reshape(y, [outer, count, inner]));
  return reshape(product, shape);
}

/**
 * Makes the matrix that holds the weight of each window at its elements, else 0: `[count, extent]`, or
 * transposed `[extent, count]`.
 */
function bandMatrix({ axis, weight }: AxisSpread, isTransposed: boolean): Float64Array {
  const { count, extent, taps, stride, dilation, before } = axis;
  const band = new Float64Array(count * extent);
  for (let window = 0; window < count; window++) {
    for (let tap = 0; tap < taps; tap++) {
      const place = stride * window + dilation * tap - before;
      if (place < 0 || place >= extent) continue;
      band[isTransposed ? place * count + window : window * extent + place] = weight(window);
    }
  }
  return band;
}
