import { at } from "@isthmus/core";
import { int, wrapAxis } from "../../ir/attributes.ts";
import type { Value } from "../graph-builder.ts";

/**
 * Computes the running sum along an axis; it excludes the element itself if `exclusive`, and starts at the
 * end if `reverse`.
 */
export function cumSum(
  x: Value,
  axis: number,
  { exclusive = false, reverse = false }: { readonly exclusive?: boolean; readonly reverse?: boolean } = {},
): Value {
  return x.builder.emit(
    "CumSum",
    [x, x.builder.scalar(wrapAxis(axis, x.shape.length), "i64")],
    [{ dtype: x.dtype, shape: x.shape }],
    {
      attributes: { exclusive: int(exclusive ? 1 : 0), reverse: int(reverse ? 1 : 0) },
    },
  )[0] as Value;
}

/**
 * Keeps the elements of matrices `[..., m, n]` on and above a diagonal, or on and below
 * it, and sets the others to 0.
 */
export function triangle(
  x: Value,
  { upper = true, diagonal = 0 }: { readonly upper?: boolean; readonly diagonal?: number } = {},
): Value {
  return x.builder.emit(
    "Trilu",
    [x, x.builder.scalar(diagonal, "i64")],
    [{ dtype: x.dtype, shape: x.shape }],
    { attributes: { upper: int(upper ? 1 : 0) } },
  )[0] as Value;
}

/** Reverses the order of elements along an axis. */
export function reverse(x: Value, axis: number): Value {
  const { builder } = x;
  const wrapped = wrapAxis(axis, x.shape.length);
  const extent = at(x.shape, wrapped, "axis");
  if (extent <= 1) return x;
  // An end of -extent - 1 lies before the first element; -1 would be the last element.
  const range = [[-1], [-extent - 1], [wrapped], [-1]].map((numbers) => builder.ints(numbers));
  return builder.emit("Slice", [x, ...range], [{ dtype: x.dtype, shape: x.shape }])[0] as Value;
}

/** Repeats `x` a number of times along each axis. */
export function tile(x: Value, repeats: readonly number[]): Value {
  if (repeats.every((repeat) => repeat === 1)) return x;
  const shape = x.shape.map((extent, axis) => extent * at(repeats, axis, "repeat"));
  return x.builder.emit("Tile", [x, x.builder.ints(repeats)], [{ dtype: x.dtype, shape }])[0] as Value;
}

/** Makes channels of blocks of `size x size` elements of `[batch, channels, height, width]`. */
export function spaceToDepth(x: Value, size: number): Value {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const shape = [batch, channels * size * size, height / size, width / size];
  return x.builder.emit("SpaceToDepth", [x], [{ dtype: x.dtype, shape }], {
    attributes: { blocksize: int(size) },
  })[0] as Value;
}

/**
 * Makes blocks of `size x size` elements of channels of `[batch, channels, height, width]`:
 * the inverse of `spaceToDepth`.
 */
export function depthToSpace(x: Value, size: number): Value {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const shape = [batch, channels / (size * size), height * size, width * size];
  return x.builder.emit("DepthToSpace", [x], [{ dtype: x.dtype, shape }], {
    attributes: { blocksize: int(size) },
  })[0] as Value;
}
