import { at, formatShape, MismatchError, sameShape, sizeOf } from "@isthmus/core";
import { int, ints, wrapAxis } from "../../ir/attributes.ts";
import type { Value } from "../graph-builder.ts";

/**
 * Gives the elements of `x` another shape; returns `x` itself if it already has that shape.
 * @param shape - 0 keeps the extent of the axis; -1, at most once, is computed from the others; with 0 for
 *   the batch the node takes any batch
 * @throws MismatchError if the elements do not fit
 */
export function reshape(x: Value, shape: readonly number[]): Value {
  // An extent of 0 after the last axis of `x` gives 0, and fails the check below.
  const resolved = shape.map((extent, axis) =>
    extent === 0 && axis < x.shape.length ? at(x.shape, axis, "axis") : extent,
  );
  const rest = sizeOf(x.shape) / Math.max(1, sizeOf(resolved.filter((extent) => extent !== -1)));
  const target = resolved.map((extent) => (extent === -1 ? rest : extent));
  if (sizeOf(target) !== sizeOf(x.shape) || !target.every(Number.isInteger)) {
    throw new MismatchError(
      `Cannot reshape "${x.name}" as the number of elements must stay: ${formatShape(x.shape)} does not fit ${formatShape(shape)}`,
      { parameters: [x.name] },
    );
  }
  if (sameShape(target, x.shape)) return x;
  return x.builder.emit(
    "Reshape",
    [x, x.builder.ints(shape)],
    [{ dtype: x.dtype, shape: target }],
  )[0] as Value;
}

/** Reorders axes: axis `i` of the result is axis `order[i]` of `x`. */
export function transpose(x: Value, order: readonly number[]): Value {
  if (order.every((axis, i) => axis === i)) return x;
  const shape = order.map((axis) => at(x.shape, axis, "axis"));
  return x.builder.emit("Transpose", [x], [{ dtype: x.dtype, shape }], {
    attributes: { perm: ints(order) },
  })[0] as Value;
}

/** Swaps the last two axes. */
export function transposeLast(x: Value): Value {
  const rank = x.shape.length;
  return transpose(
    x,
    [...x.shape.keys()].map((axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
  );
}

/** Joins values one after another along an axis. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values as [Value];
  const joined = wrapAxis(axis, first.shape.length);
  const extent = values.reduce((total, { shape }) => total + at(shape, joined, "axis"), 0);
  const shape = first.shape.with(joined, extent);
  return first.builder.emit("Concat", values, [{ dtype: first.dtype, shape }], {
    attributes: { axis: int(joined) },
  })[0] as Value;
}

/** Splits `x` into parts of some extents along an axis. */
export function split(x: Value, axis: number, extents: readonly number[]): Value[] {
  const divided = wrapAxis(axis, x.shape.length);
  const outputs = extents.map((extent) => ({ dtype: x.dtype, shape: x.shape.with(divided, extent) }));
  return x.builder.emit("Split", [x, x.builder.ints(extents)], outputs, {
    attributes: { axis: int(divided) },
  });
}

/** Range of a slice along one axis. */
export interface SliceRange {
  /** Axis that is cut, from 0. */
  readonly axis: number;
  /** Index of the first element along the axis. */
  readonly begin: number;
  /** End of the range, exclusive. */
  readonly end: number;
  /** Step of the range, at least 1. @defaultValue 1 */
  readonly step?: number;
}

/** Takes the elements `begin, begin + step, ...` below `end` along some axes. */
export function slice(x: Value, ranges: readonly SliceRange[]): Value {
  const { builder } = x;
  const shape = [...x.shape];
  for (const { axis, begin, end, step = 1 } of ranges) {
    const extent = at(x.shape, axis, "axis");
    shape[axis] = Math.max(0, Math.ceil((Math.min(end, extent) - begin) / step));
  }
  if (sameShape(shape, x.shape)) return x;
  return builder.emit(
    "Slice",
    [
      x,
      builder.ints(ranges.map(({ begin }) => begin)),
      builder.ints(ranges.map(({ end }) => end)),
      builder.ints(ranges.map(({ axis }) => axis)),
      builder.ints(ranges.map(({ step = 1 }) => step)),
    ],
    [{ dtype: x.dtype, shape }],
  )[0] as Value;
}

/**
 * Adds a constant border around `x`.
 * @param before - elements added in front of each axis; negative ones are cut off
 * @param after - elements added behind each axis
 */
export function pad(x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
  if ([...before, ...after].every((extent) => extent === 0)) return x;
  const { builder } = x;
  const shape = x.shape.map((extent, axis) => extent + at(before, axis, "pad") + at(after, axis, "pad"));
  return builder.emit(
    "Pad",
    [x, builder.ints([...before, ...after]), builder.scalar(value, x.dtype)],
    [{ dtype: x.dtype, shape }],
  )[0] as Value;
}

/**
 * Repeats `x` along axes of extent 1, and along new leading axes, up to a shape; returns `x` itself if it
 * already has that shape.
 */
export function expand(x: Value, shape: readonly number[]): Value {
  if (sameShape(shape, x.shape)) return x;
  return x.builder.emit("Expand", [x, x.builder.ints(shape)], [{ dtype: x.dtype, shape }])[0] as Value;
}

/** Looks up rows of `table` along an axis by whole-number indices of any shape. */
export function gather(table: Value, indices: Value, axis = 0): Value {
  const wrapped = wrapAxis(axis, table.shape.length);
  const shape = [...table.shape.slice(0, wrapped), ...indices.shape, ...table.shape.slice(wrapped + 1)];
  return table.builder.emit("Gather", [table, indices], [{ dtype: table.dtype, shape }], {
    attributes: { axis: int(wrapped) },
  })[0] as Value;
}

/** Looks up one element of every line along an axis by indices of the result's shape. */
export function gatherElements(x: Value, indices: Value, axis: number): Value {
  return x.builder.emit("GatherElements", [x, indices], [{ dtype: x.dtype, shape: indices.shape }], {
    attributes: { axis: int(wrapAxis(axis, x.shape.length)) },
  })[0] as Value;
}

/** Inserts axes of extent 1, given by their indices in the result. */
export function unsqueeze(x: Value, axes: readonly number[]): Value {
  const rank = x.shape.length + axes.length;
  const added = axes.map((axis) => wrapAxis(axis, rank));
  const shape = [...x.shape];
  for (const axis of added.toSorted((a, b) => a - b)) shape.splice(axis, 0, 1);
  return x.builder.emit("Unsqueeze", [x, x.builder.ints(added)], [{ dtype: x.dtype, shape }])[0] as Value;
}

/** Removes axes of extent 1. */
export function squeeze(x: Value, axes: readonly number[]): Value {
  const removed = axes.map((axis) => wrapAxis(axis, x.shape.length));
  const shape = x.shape.filter((_, axis) => !removed.includes(axis));
  return x.builder.emit("Squeeze", [x, x.builder.ints(removed)], [{ dtype: x.dtype, shape }])[0] as Value;
}
