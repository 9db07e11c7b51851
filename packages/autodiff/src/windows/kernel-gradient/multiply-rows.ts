import { at, sizeOf } from "@isthmus/core";
import {
  concat,
  matMul,
  reduceSum,
  reshape,
  slice,
  transpose,
  transposeLast,
  type Value,
} from "@isthmus/graph/builder";
import type { Convolution } from "../convolution.ts";
import { padForWindows, tapRange, tapsOf } from "../taps.ts";
import { perAxis, type WindowAxis } from "../window.ts";

/**
 * Computes the kernel gradient, for any number of groups: taps along the last axis become channels; then for
 * each row of taps there is one product of the gradient `[out, positions]` with that row of every window
 * `[positions, in row]`, for all examples and groups at once.
 */
export function multiplyRows(x: Value, g: Value, { axes, group }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0, ...counts] = g.shape;
  const [inner, outer] = [channels / group, out / group];
  const leading = axes.slice(0, -1);
  const row = axes.at(-1)?.taps ?? 1;
  const lines = lineUpRows(padForWindows(x, axes, 2), axes);
  const left = reshape(g, [batch, group, outer, sizeOf(counts)]);
  const products = tapsOf(leading).map((tap) => {
    const window = slice(
      lines,
      leading.map((axis, i) => tapRange(axis, at(tap, i, "axis"), i + 3)),
    );
    return matMul(left, transposeLast(reshape(window, [batch, group, inner * row, sizeOf(counts)])));
  });
  const total = reduceSum(concat(products, 2), { axes: [0] });
  const ordered = transpose(reshape(total, [group, products.length, outer, inner, row]), [0, 2, 3, 1, 4]);
  return reshape(ordered, [out, inner, ...perAxis(axes, "taps")]);
}

/**
 * Makes channels of the taps along the last axis: `[batch, channels, ...padded, width]` becomes
 * `[batch, channels, row, ...padded, count]`.
 */
function lineUpRows(padded: Value, axes: readonly WindowAxis[]): Value {
  const last = axes.at(-1);
  if (last === undefined) return padded;
  const lines = Array.from({ length: last.taps }, (_, tap) => {
    const line = slice(padded, [tapRange(last, tap, axes.length + 1)]);
    const [batch = 0, channels = 0, ...spatial] = line.shape;
    return reshape(line, [batch, channels, 1, ...spatial]);
  });
  return concat(lines, 2);
}
