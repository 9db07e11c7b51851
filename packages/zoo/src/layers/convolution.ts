import { at } from "@isthmus/core";
import { conv, type Value } from "@isthmus/graph/builder";
import { HE_FAN_OUT, type LayerInitializer } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";

/** Options of {@link convolution}. */
export interface ConvolutionOptions {
  /** Number of output channels. */
  readonly out: number;
  /** Side of the square kernel. */
  readonly side: number;
  /** Step of the kernel. @defaultValue 1 */
  readonly stride?: number;
  /**
   * Width of the padding with zeros on every side. @defaultValue half the kernel, so that stride 1 keeps the
   * extents of an image
   */
  readonly pad?: number;
  /** Whether the convolution has a bias. @defaultValue false */
  readonly bias?: boolean;
  /** Initializer of the weights. @defaultValue normal of variance 2 over the fan-out */
  readonly initializer?: LayerInitializer;
}

/**
 * Convolves images with square kernels, with the weights
 * `name.weight` and, with the option `bias`, `name.bias`.
 */
export function convolution(
  network: NetworkBuilder,
  x: Value,
  name: string,
  { out, side, stride = 1, pad = side >> 1, bias = false, initializer = HE_FAN_OUT }: ConvolutionOptions,
): Value {
  const channels = at(x.shape, 1, "axis");
  const [fanIn, fanOut] = [channels * side * side, out * side * side];
  const kernel = network.weight(
    `${name}.weight`,
    [out, channels, side, side],
    initializer.weight(fanIn, fanOut),
  );
  const shift = bias ? network.weight(`${name}.bias`, [out], initializer.bias(fanIn)) : undefined;
  return conv(x, kernel, {
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    ...(shift === undefined ? {} : { bias: shift }),
  });
}
