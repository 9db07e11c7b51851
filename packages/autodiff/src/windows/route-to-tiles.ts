import { at, sizeOf } from "@isthmus/core";
import {
  concat,
  equal,
  matMul,
  pad,
  reshape,
  type SliceRange,
  slice,
  sub,
  transpose,
  type Value,
} from "@isthmus/graph/builder";
import { gate } from "../gate.ts";
import { perAxis, type WindowAxis } from "./window.ts";

/** Elements of a tile up to which tiles are compared element by element, one slice for each element. */
const TILE_LIMIT = 9;

/**
 * Width of a row up to which a product interleaves columns, at a cost in proportion to the width. At a width
 * of 28 routing takes 2.9 ns an element so, 3.3 by a transpose.
 */
const PRODUCT_WIDTH = 48;

/**
 * Checks whether windows lie side by side on one or two axes, without overlap, padding or gaps between them.
 */
export function areTiles(axes: readonly WindowAxis[]): boolean {
  const isTiled = ({ taps, stride, dilation, before, after }: WindowAxis) =>
    stride === taps && (dilation === 1 || taps === 1) && before === 0 && after <= 0;
  return axes.length <= 2 && axes.every(isTiled) && sizeOf(perAxis(axes, "taps")) <= TILE_LIMIT;
}

/** Values of a maximum pool, and the gradient that is routed through it. */
export interface MaximumPool {
  /** Operand of the pool, `[batch, channels, ...extents]`. */
  readonly x: Value;
  /** Maximum of each tile, `[batch, channels, ...counts]`. */
  readonly y: Value;
  /** Gradient of the loss for each maximum, of the shape of `y`. */
  readonly g: Value;
}

/**
 * Computes the gradient for `x`, `[batch, channels, ...extents]`: the gradient for each maximum at the first
 * place in its tile that has the maximum.
 */
export function routeToTiles(pool: MaximumPool, axes: readonly WindowAxis[]): Value {
  const spread = interleave(splitAmongTaps(pool, axes), axes);
  const { x } = pool;
  const left = x.shape.map((extent, axis) => extent - at(spread.shape, axis, "axis"));
  return pad(
    spread,
    x.shape.map(() => 0),
    left,
  );
}

/**
 * Splits the gradient among taps, in row-major order: each gets the gradient of the tiles whose first maximum
 * is at this tap, `[batch, channels, ...counts]`.
 */
function splitAmongTaps({ x, y, g }: MaximumPool, axes: readonly WindowAxis[]): Value[] {
  const taps = tapsOf(axes);
  const parts: Value[] = [];
  // The rest is the gradient that no earlier tap got; the last tap gets all of it, as one of a tile's
  // elements is its maximum.
  let rest = g;
  for (const tap of taps.slice(0, -1)) {
    const ranges = axes.map((axis, i) => tapRange(axis, at(tap, i, "axis"), i + 2));
    const part = gate(rest, equal(slice(x, ranges), y));
    parts.push(part);
    rest = sub(rest, part);
  }
  return [...parts, rest];
}

/** Puts tap `t` of tile `i` at `taps i + t` of each axis. */
function interleave(parts: readonly Value[], axes: readonly WindowAxis[]): Value {
  const [first] = parts as [Value];
  const { count: width = 0, taps = 1 } = axes.at(-1) ?? {};
  // Taps lie between rows and columns now, [rows, taps of rows, taps of columns, width]:
  // only columns are out of order.
  const rows = sizeOf(first.shape.slice(0, -1));
  const lines = concat(
    parts.map((part) => reshape(part, [rows, width])),
    1,
  );
  const count = (rows * parts.length) / taps;
  const ordered =
    taps * width <= PRODUCT_WIDTH
      ? matMul(reshape(lines, [count, taps * width]), shuffleMatrix(first, taps, width))
      : transpose(reshape(lines, [count, taps, width]), [0, 2, 1]);
  return reshape(ordered, [...first.shape.slice(0, 2), ...axes.map((axis) => axis.count * axis.taps)]);
}

/** Makes the matrix that moves element `tap width + i` of a row to `taps i + tap`. */
function shuffleMatrix({ builder, dtype }: Value, taps: number, width: number): Value {
  const extent = taps * width;
  const matrix = new Float64Array(extent * extent);
  for (let from = 0; from < extent; from++) {
    matrix[from * extent + taps * (from % width) + Math.floor(from / width)] = 1;
  }
  return builder.numbers(matrix, dtype, [extent, extent]);
}

/** Lists the positions of the elements within a window, one number for each axis, in row-major order. */
export function tapsOf(axes: readonly WindowAxis[]): number[][] {
  return axes.reduce<number[][]>(
    (heads, { taps }) => heads.flatMap((head) => Array.from({ length: taps }, (_, tap) => [...head, tap])),
    [[]],
  );
}

/**
 * Pads the spatial axes of `x`, which begin at axis `from`, with zeros as far as windows reach over the ends.
 */
export function padForWindows(x: Value, axes: readonly WindowAxis[], from: number): Value {
  const around = (reach: (axis: WindowAxis) => number) =>
    x.shape.map((_, i) => {
      const axis = axes[i - from];
      return axis === undefined ? 0 : Math.max(0, reach(axis));
    });
  return pad(
    x,
    around(({ before }) => before),
    around(({ after }) => after),
  );
}

/** Returns the range along a padded axis that holds one tap of every window. */
export function tapRange({ stride, dilation, count }: WindowAxis, tap: number, axis: number): SliceRange {
  const begin = dilation * tap;
  return { axis, begin, end: begin + stride * (count - 1) + 1, step: stride };
}
