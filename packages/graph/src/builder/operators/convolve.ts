import { at } from "@isthmus/core";
import { int, ints } from "../../ir/attributes.ts";
import type { Value } from "../graph-builder.ts";
import { misfit } from "./linear.ts";

/** Options of {@link conv}; spatial lists have one entry for each spatial axis. */
export interface ConvOptions {
  /** Step of the window along each spatial axis. @defaultValue 1 */
  readonly strides?: readonly number[];
  /** Padding with zeros: all beginnings, then all ends. @defaultValue 0 */
  readonly pads?: readonly number[];
  /** Distance between the taps along each spatial axis. @defaultValue 1 */
  readonly dilations?: readonly number[];
  /** Number of groups of channels. @defaultValue 1 */
  readonly group?: number;
  /** Bias, `[out]`. @defaultValue none */
  readonly bias?: Value;
}

function withDefaults(
  spatial: number,
  options: ConvOptions,
): Required<Omit<ConvOptions, "bias">> & ConvOptions {
  const ones = Array<number>(spatial).fill(1);
  return { strides: ones, dilations: ones, group: 1, pads: Array<number>(2 * spatial).fill(0), ...options };
}

/** Returns the extent of a window along spatial axis `i`. */
function reach(dilations: readonly number[], i: number, taps: number): number {
  return at(dilations, i, "dilation") * (taps - 1) + 1;
}

/**
 * Convolves `x [batch, in, ...spatial]` with `kernel [out, in / group, ...taps]`. @throws
 * MismatchError if the channels do not fit
 */
export function conv(x: Value, kernel: Value, options: ConvOptions = {}): Value {
  const spatial = x.shape.length - 2;
  const { strides, dilations, pads, group, bias } = withDefaults(spatial, options);
  const [batch = 0, channels = 0] = x.shape;
  const [out = 0, perGroup = 0, ...taps] = kernel.shape;
  if (channels !== perGroup * group) throw misfit("Conv", x, kernel);
  const extents = taps.map((tap, i) => {
    const padded = at(x.shape, i + 2, "axis") + at(pads, i, "pad") + at(pads, i + spatial, "pad");
    return Math.floor((padded - reach(dilations, i, tap)) / at(strides, i, "stride")) + 1;
  });
  const inputs = bias === undefined ? [x, kernel] : [x, kernel, bias];
  return x.builder.emit("Conv", inputs, [{ dtype: x.dtype, shape: [batch, out, ...extents] }], {
    attributes: {
      kernel_shape: ints(taps),
      strides: ints(strides),
      pads: ints(pads),
      dilations: ints(dilations),
      group: int(group),
    },
  })[0] as Value;
}

/** Options of {@link convTranspose}. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Elements added at the end of each spatial axis, fewer than its stride. @defaultValue 0 */
  readonly outputPads?: readonly number[];
}

/**
 * Computes the adjoint of the convolution with the same kernel and options: `x [batch, out, ...]` with
 * `kernel [out, in / group, ...taps]` gives `[batch, in, ...]`.
 * @throws MismatchError if the channels do not fit
 */
export function convTranspose(x: Value, kernel: Value, options: ConvTransposeOptions = {}): Value {
  const spatial = x.shape.length - 2;
  const { strides, dilations, pads, group, bias } = withDefaults(spatial, options);
  const { outputPads = Array<number>(spatial).fill(0) } = options;
  const [batch = 0, channels = 0] = x.shape;
  const [out = 0, perGroup = 0, ...taps] = kernel.shape;
  if (channels !== out) throw misfit("ConvTranspose", x, kernel);
  const extents = taps.map((tap, i) => {
    const steps = at(strides, i, "stride") * (at(x.shape, i + 2, "axis") - 1);
    const padding = at(pads, i, "pad") + at(pads, i + spatial, "pad") - at(outputPads, i, "output pad");
    return steps + reach(dilations, i, tap) - padding;
  });
  const inputs = bias === undefined ? [x, kernel] : [x, kernel, bias];
  return x.builder.emit(
    "ConvTranspose",
    inputs,
    [{ dtype: x.dtype, shape: [batch, perGroup * group, ...extents] }],
    {
      attributes: {
        kernel_shape: ints(taps),
        strides: ints(strides),
        pads: ints(pads),
        dilations: ints(dilations),
        output_padding: ints(outputPads),
        group: int(group),
      },
    },
  )[0] as Value;
}
