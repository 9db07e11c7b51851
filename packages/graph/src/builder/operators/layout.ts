import { formatShape, MismatchError, sameShape, sizeOf } from "@isthmus/core";
import { int, ints, wrapAxis } from "../../ir/attributes.ts";
import type { Value } from "../graph-builder.ts";

/**
 * The same elements in another shape; `x` itself if it has that already.
 * @param shape - 0 keeps the extent of that axis, -1, at most once, is what is left; with 0 the node serves any batch
 * @throws MismatchError if the elements do not fit
 */
export function reshape(x: Value, shape: readonly number[]): Value {
  const known = shape.map((extent, axis) => (extent === 0 ? (x.shape[axis] ?? 0) : extent));
  const rest = sizeOf(x.shape) / Math.max(1, sizeOf(known.filter((extent) => extent !== -1)));
  const target = known.map((extent) => (extent === -1 ? rest : extent));
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

/** Axes in another order: axis `i` of the result is axis `order[i]` of `x`. */
export function transpose(x: Value, order: readonly number[]): Value {
  if (order.every((axis, i) => axis === i)) return x;
  const shape = order.map((axis) => x.shape[axis] ?? 0);
  return x.builder.emit("Transpose", [x], [{ dtype: x.dtype, shape }], {
    attributes: { perm: ints(order) },
  })[0] as Value;
}

/** The last two axes swapped. */
export function transposeLast(x: Value): Value {
  const rank = x.shape.length;
  return transpose(
    x,
    [...x.shape.keys()].map((axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
  );
}

/** Values one after another along an axis. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values as [Value];
  const at = wrapAxis(axis, first.shape.length);
  const extent = values.reduce((total, { shape }) => total + (shape[at] ?? 0), 0);
  const shape = first.shape.map((own, i) => (i === at ? extent : own));
  return first.builder.emit("Concat", values, [{ dtype: first.dtype, shape }], {
    attributes: { axis: int(at) },
  })[0] as Value;
}

/** Parts of given extents along an axis. */
export function split(x: Value, axis: number, extents: readonly number[]): Value[] {
  const at = wrapAxis(axis, x.shape.length);
  const outputs = extents.map((extent) => ({
    dtype: x.dtype,
    shape: x.shape.map((own, i) => (i === at ? extent : own)),
  }));
  return x.builder.emit("Split", [x, x.builder.ints(extents)], outputs, { attributes: { axis: int(at) } });
}

/** Where a slice lies. */
export interface SliceRange {
  readonly axis: number;
  readonly begin: number;
  /** Exclusive. */
  readonly end: number;
  /** At least 1. @defaultValue 1 */
  readonly step?: number;
}

/** Elements `begin, begin + step, ...` below `end` along some axes. */
export function slice(x: Value, ranges: readonly SliceRange[]): Value {
  const { builder } = x;
  const shape = [...x.shape];
  for (const { axis, begin, end, step = 1 } of ranges) {
    const extent = x.shape[axis] ?? 0;
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
 * Constants around `x`.
 * @param before - elements added in front of each axis; negative ones are cut off
 * @param after - elements added behind each axis
 */
export function pad(x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
  if ([...before, ...after].every((extent) => extent === 0)) return x;
  const { builder } = x;
  const shape = x.shape.map((extent, axis) => extent + (before[axis] ?? 0) + (after[axis] ?? 0));
  return builder.emit(
    "Pad",
    [x, builder.ints([...before, ...after]), builder.scalar(value, x.dtype)],
    [{ dtype: x.dtype, shape }],
  )[0] as Value;
}

/** `x` repeated along axes of extent 1, and along new leading axes, up to a shape; `x` itself if it has that already. */
export function expand(x: Value, shape: readonly number[]): Value {
  if (sameShape(shape, x.shape)) return x;
  return x.builder.emit("Expand", [x, x.builder.ints(shape)], [{ dtype: x.dtype, shape }])[0] as Value;
}

/** Rows of `table` along an axis, by whole-number indices of any shape. */
export function gather(table: Value, indices: Value, axis = 0): Value {
  const at = wrapAxis(axis, table.shape.length);
  const shape = [...table.shape.slice(0, at), ...indices.shape, ...table.shape.slice(at + 1)];
  return table.builder.emit("Gather", [table, indices], [{ dtype: table.dtype, shape }], {
    attributes: { axis: int(at) },
  })[0] as Value;
}

/** One element of every line along an axis, by indices of the result's shape. */
export function gatherElements(x: Value, indices: Value, axis: number): Value {
  return x.builder.emit("GatherElements", [x, indices], [{ dtype: x.dtype, shape: indices.shape }], {
    attributes: { axis: int(wrapAxis(axis, x.shape.length)) },
  })[0] as Value;
}

/** A new axis of extent 1 before each of these axes of the result. */
export function unsqueeze(x: Value, axes: readonly number[]): Value {
  const rank = x.shape.length + axes.length;
  const at = axes.map((axis) => wrapAxis(axis, rank));
  const rest = [...x.shape];
  const shape = Array.from({ length: rank }, (_, axis) => (at.includes(axis) ? 1 : (rest.shift() ?? 1)));
  return x.builder.emit("Unsqueeze", [x, x.builder.ints(at)], [{ dtype: x.dtype, shape }])[0] as Value;
}

/** Axes of extent 1 removed. */
export function squeeze(x: Value, axes: readonly number[]): Value {
  const at = axes.map((axis) => wrapAxis(axis, x.shape.length));
  const shape = x.shape.filter((_, axis) => !at.includes(axis));
  return x.builder.emit("Squeeze", [x, x.builder.ints(at)], [{ dtype: x.dtype, shape }])[0] as Value;
}
