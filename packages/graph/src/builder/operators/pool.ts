import { at } from "@isthmus/core";
import { int, ints } from "../../ir/attributes.ts";
import type { PlainAttributes, Value } from "../graph-builder.ts";

/** Options of pooling; lists have one entry for each spatial axis. */
export interface PoolOptions {
  /** Step of the window along each spatial axis. @defaultValue the extents of the window */
  readonly strides?: readonly number[];
  /** Padding: all beginnings, then all ends. @defaultValue 0 */
  readonly pads?: readonly number[];
  /** Distance between the elements of the window along each spatial axis. @defaultValue 1 */
  readonly dilations?: readonly number[];
  /** Whether a last, incomplete window counts. @defaultValue false */
  readonly ceilMode?: boolean;
}

/** Shape and attributes of a pool. */
interface Pooling {
  readonly shape: readonly number[];
  readonly attributes: PlainAttributes;
}

function poolingOf(x: Value, taps: readonly number[], options: PoolOptions): Pooling {
  const spatial = taps.length;
  const { strides = taps, pads = Array<number>(2 * spatial).fill(0), ceilMode = false } = options;
  const { dilations = Array<number>(spatial).fill(1) } = options;
  const extents = taps.map((tap, i) => {
    const [extent, stride] = [at(x.shape, i + 2, "axis"), at(strides, i, "stride")];
    const [before, after] = [at(pads, i, "pad"), at(pads, i + spatial, "pad")];
    const free = extent + before + after - at(dilations, i, "dilation") * (tap - 1) - 1;
    const count = (ceilMode ? Math.ceil(free / stride) : Math.floor(free / stride)) + 1;
    // A window must not begin in the padding at the end.
    return ceilMode && (count - 1) * stride >= extent + before ? count - 1 : count;
  });
  return {
    shape: [...x.shape.slice(0, 2), ...extents],
    attributes: {
      kernel_shape: ints(taps),
      strides: ints(strides),
      pads: ints(pads),
      ceil_mode: int(ceilMode ? 1 : 0),
      ...(dilations.every((dilation) => dilation === 1) ? {} : { dilations: ints(dilations) }),
    },
  };
}

/** Takes the largest element of every window of `taps` extents, `x [batch, channels, ...spatial]`. */
export function maxPool(x: Value, taps: readonly number[], options: PoolOptions = {}): Value {
  const { shape, attributes } = poolingOf(x, taps, options);
  return x.builder.emit("MaxPool", [x], [{ dtype: x.dtype, shape }], { attributes })[0] as Value;
}

/** Finds the first largest element of every window, as a flat row-major index into `x` (i64). */
export function maxPoolIndices(x: Value, taps: readonly number[], options: PoolOptions = {}): Value {
  const { shape, attributes } = poolingOf(x, taps, options);
  const outputs = [
    { dtype: x.dtype, shape },
    { dtype: "i64", shape },
  ] as const;
  return x.builder.emit("MaxPool", [x], outputs, { attributes })[1] as Value;
}

/** Options of {@link averagePool}. */
export interface AveragePoolOptions extends PoolOptions {
  /** Whether the mean is over the whole window, including padding as zeros. @defaultValue false */
  readonly countPads?: boolean;
}

/** Takes the mean of every window of `taps` extents, `x [batch, channels, ...spatial]`. */
export function averagePool(x: Value, taps: readonly number[], options: AveragePoolOptions = {}): Value {
  const { countPads = false, ...rest } = options;
  const { shape, attributes } = poolingOf(x, taps, rest);
  return x.builder.emit("AveragePool", [x], [{ dtype: x.dtype, shape }], {
    attributes: { ...attributes, count_include_pad: int(countPads ? 1 : 0) },
  })[0] as Value;
}

function poolGlobally(op: string, x: Value): Value {
  const shape = x.shape.map((extent, axis) => (axis < 2 ? extent : 1));
  return x.builder.emit(op, [x], [{ dtype: x.dtype, shape }])[0] as Value;
}

/** Takes the mean over all spatial axes, which are kept with extent 1. */
export const globalAveragePool = (x: Value): Value => poolGlobally("GlobalAveragePool", x);
/** Takes the largest element over all spatial axes, which are kept with extent 1. */
export const globalMaxPool = (x: Value): Value => poolGlobally("GlobalMaxPool", x);
