import { int, ints } from "../../ir/attributes.ts";
import type { Value } from "../graph-builder.ts";
import { misfit } from "./linear.ts";

/** Options of {@link conv}; spatial lists have one entry for each spatial axis. */
export interface ConvOptions {
  /** @defaultValue 1 */
  readonly strides?: readonly number[];
  /** Zeros around: all beginnings, then all ends. @defaultValue 0 */
  readonly pads?: readonly number[];
  /** @defaultValue 1 */
  readonly dilations?: readonly number[];
  /** @defaultValue 1 */
  readonly group?: number;
  /** `[out]`. @defaultValue none */
  readonly bias?: Value;
}

function withDefaults(
  spatial: number,
  options: ConvOptions,
): Required<Omit<ConvOptions, "bias">> & ConvOptions {
  const ones = Array<number>(spatial).fill(1);
  return { strides: ones, dilations: ones, group: 1, pads: Array<number>(2 * spatial).fill(0), ...options };
}

/** Convolution of `x [batch, in, ...spatial]` with `kernel [out, in / group, ...taps]`. */
export function conv(x: Value, kernel: Value, options: ConvOptions = {}): Value {
  const spatial = x.shape.length - 2;
  const { strides, dilations, pads, group, bias } = withDefaults(spatial, options);
  const [batch = 0, channels = 0] = x.shape;
  const [out = 0, perGroup = 0, ...taps] = kernel.shape;
  if (channels !== perGroup * group) throw misfit("Conv", x, kernel);
  const extents = taps.map((tap, i) => {
    const padded = (x.shape[i + 2] ?? 0) + (pads[i] ?? 0) + (pads[i + spatial] ?? 0);
    return Math.floor((padded - (dilations[i] ?? 1) * (tap - 1) - 1) / (strides[i] ?? 1)) + 1;
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
 * Adjoint of the convolution of the same kernel and options: `x [batch, out, ...]` with `kernel [out, in / group, ...taps]`
 * gives `[batch, in, ...]`. @throws MismatchError if the channels do not fit
 */
export function convTranspose(x: Value, kernel: Value, options: ConvTransposeOptions = {}): Value {
  const spatial = x.shape.length - 2;
  const { strides, dilations, pads, group, bias } = withDefaults(spatial, options);
  const { outputPads = Array<number>(spatial).fill(0) } = options;
  const [batch = 0, channels = 0] = x.shape;
  const [out = 0, perGroup = 0, ...taps] = kernel.shape;
  if (channels !== out) throw misfit("ConvTranspose", x, kernel);
  const extents = taps.map((tap, i) => {
    const reach = (strides[i] ?? 1) * ((x.shape[i + 2] ?? 0) - 1) + (dilations[i] ?? 1) * (tap - 1) + 1;
    return reach + (outputPads[i] ?? 0) - (pads[i] ?? 0) - (pads[i + spatial] ?? 0);
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
