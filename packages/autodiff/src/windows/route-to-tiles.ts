import { sizeOf } from "@isthmus/core";
import {
  concat,
  equal,
  matMul,
  pad,
  reshape,
  slice,
  sub,
  transpose,
  type Value,
} from "@isthmus/graph/builder";
import { gate } from "../gate.ts";
import { tapRange, tapsOf } from "./taps.ts";
import { each, type WindowAxis } from "./window.ts";

/** Elements of a tile up to which tiles are compared element by element: each is a slice of its own. */
const TILE_LIMIT = 9;

/** Width of a row up to which a product interleaves columns: it costs in proportion to the width. At 28 routing takes 2.9 ns so, 3.3 by a transpose. */
const PRODUCT_WIDTH = 48;

/** Whether windows lie side by side on one or two axes, without overlap, padding or gaps between them. */
export function areTiles(axes: readonly WindowAxis[]): boolean {
  const isTiled = ({ taps, stride, dilation, before, after }: WindowAxis) =>
    stride === taps && (dilation === 1 || taps === 1) && before === 0 && after <= 0;
  return axes.length <= 2 && axes.every(isTiled) && sizeOf(each(axes, "taps")) <= TILE_LIMIT;
}

/** A pool of largest elements: what was pooled, its maxima, and the gradient for these. */
export interface MaximumPool {
  readonly x: Value;
  readonly y: Value;
  readonly given: Value;
}

/** Gradient for `x`, `[batch, channels, ...extents]`: that for each maximum, at its first place in the tile. */
export function routeToTiles(pool: MaximumPool, axes: readonly WindowAxis[]): Value {
  const spread = interleave(splitAmongTaps(pool, axes), axes);
  const { x } = pool;
  const left = x.shape.map((extent, axis) => extent - (spread.shape[axis] ?? 0));
  return pad(
    spread,
    x.shape.map(() => 0),
    left,
  );
}

/** For each tap, in row-major order, the gradient of the tiles whose first maximum it is, `[batch, channels, ...counts]`. */
function splitAmongTaps({ x, y, given }: MaximumPool, axes: readonly WindowAxis[]): Value[] {
  const taps = tapsOf(axes);
  const parts: Value[] = [];
  // What no earlier tap has taken; the last takes what is left, as one of a tile's elements is its maximum.
  let rest = given;
  for (const tap of taps.slice(0, -1)) {
    const ranges = axes.map((axis, i) => tapRange(axis, tap[i] ?? 0, i + 2));
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
  // Taps lie between rows and columns now, [rows, taps of rows, taps of columns, width]: only columns are out of order.
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

/** Moves element `tap width + i` to `taps i + tap`. */
function shuffleMatrix({ builder, dtype }: Value, taps: number, width: number): Value {
  const extent = taps * width;
  const matrix = new Float64Array(extent * extent);
  for (let from = 0; from < extent; from++) {
    matrix[from * extent + taps * (from % width) + Math.floor(from / width)] = 1;
  }
  return builder.numbers(matrix, dtype, [extent, extent]);
}
