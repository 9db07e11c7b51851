import { at, createTensor, sizeOf } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import {
  add,
  cast,
  equal,
  type GraphBuilder,
  min,
  pad,
  slice,
  type Value,
  where,
} from "@isthmus/graph/builder";
import { intsAttribute, stringAttribute } from "@isthmus/graph/ir";

/** Less than every number of a network, so that padding is no maximum. */
const LOWEST = -3.4e38;

/** Places in a plane up to which f32 numbers them exactly. */
const MOST_PLACES = 2 ** 24;

/** Windows along one spatial axis. */
interface PoolAxis {
  readonly extent: number;
  readonly count: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

/**
 * Computes the second output of a maximum pool, the row-major place of each maximum, by comparing each element
 * of all windows with their maxima at once: of several maxima the first.
 * @param y - maxima, the first output
 * @returns the places as whole numbers of 64 bits; undefined for pools whose padding is automatic, and for
 *   planes of more places than f32 can number
 */
export function poolIndices(builder: GraphBuilder, node: Node, x: Value, y: Value): Value | undefined {
  const spatial = x.shape.slice(2);
  const taps = intsAttribute(node, "kernel_shape");
  const places = sizeOf(spatial);
  const isAutomatic = stringAttribute(node, "auto_pad", "NOTSET") !== "NOTSET";
  if (taps === undefined || isAutomatic || places > MOST_PLACES) return undefined;
  const axes = spatial.map((extent, i): PoolAxis => {
    return {
      extent,
      count: at(y.shape, i + 2, "extent"),
      taps: at(taps, i, "extent"),
      stride: intsAttribute(node, "strides")?.[i] ?? 1,
      dilation: intsAttribute(node, "dilations")?.[i] ?? 1,
      before: intsAttribute(node, "pads")?.[i] ?? 0,
    };
  });
  const reach = ({ extent, count, taps: size, stride, dilation, before }: PoolAxis) =>
    Math.max(0, stride * (count - 1) + dilation * (size - 1) + 1 - extent - before);
  const padded = pad(x, [0, 0, ...axes.map(({ before }) => before)], [0, 0, ...axes.map(reach)], LOWEST);
  const found = tapsOf(axes).map((tap) => {
    const ranges = axes.map(({ stride, dilation, count }, i) => {
      const begin = dilation * at(tap, i, "tap");
      return { axis: i + 2, begin, end: begin + stride * (count - 1) + 1, step: stride };
    });
    return where(equal(slice(padded, ranges), y), placesOf(builder, axes, tap), places);
  });
  const inPlane = cast(
    found.reduce((first, place) => min(first, place)),
    "i64",
  );
  const [batch = 1, channels = 1] = x.shape;
  const planes = BigInt64Array.from({ length: batch * channels }, (_, plane) => BigInt(plane * places));
  const shape = [batch, channels, ...axes.map(() => 1)];
  return add(inPlane, builder.constant(createTensor("i64", shape, planes)));
}

/** Lists the taps of a window in row-major order. */
function tapsOf(axes: readonly PoolAxis[]): readonly (readonly number[])[] {
  return axes.reduce<readonly (readonly number[])[]>(
    (heads, { taps }) => heads.flatMap((head) => Array.from({ length: taps }, (_, tap) => [...head, tap])),
    [[]],
  );
}

/** Returns the row-major places in a plane of one tap of all windows, `[1, 1, ...counts]`. */
function placesOf(builder: GraphBuilder, axes: readonly PoolAxis[], tap: readonly number[]): Value {
  const places = axes.reduce<readonly number[]>(
    (before, { extent, count, stride, dilation, before: padding }, i) => {
      const along = Array.from(
        { length: count },
        (_, w) => stride * w + dilation * at(tap, i, "tap") - padding,
      );
      return before.flatMap((place) => along.map((next) => place * extent + next));
    },
    [0],
  );
  return builder.numbers(places, "f32", [1, 1, ...axes.map(({ count }) => count)]);
}
