import { at } from "@isthmus/core";
import type { Value } from "../../builder/graph-builder.ts";
import { conv, convTranspose } from "../../builder/operators/convolve.ts";
import { pad, reshape, slice, transpose } from "../../builder/operators/layout.ts";
import type { Pair } from "../config-reader.ts";
import { Flow } from "../flow.ts";
import { type BuildLayer, type LayerContext, onlyImage } from "../layer-context.ts";
import { ownActivation } from "./activation.ts";
import { padsOf } from "./window.ts";

/** Reads the settings that all convolutions have. */
function windowOf({ config }: LayerContext, image: Flow) {
  const one: Pair = [1, 1];
  const taps = config.pair("kernel_size", { least: 1 });
  const strides = config.pair("strides", { least: 1, fallback: one });
  const dilations = config.pair("dilation_rate", { least: 1, fallback: one });
  const [, height = 0, width = 0, channels = 0] = image.shape;
  const pads = padsOf(config, [height, width], { taps, strides, dilations });
  return { taps, strides, dilations, pads, channels };
}

/** Returns the number of outputs of a kernel `[height, width, in, out]`. */
const outputsOf = (kernel: Value): number => at(kernel.shape, 3, "axis");

const biasOf = ({ config, weight }: LayerContext, out: number): Value | undefined =>
  config.boolean("use_bias", true) ? weight("bias", [out]) : undefined;

const conv2d: BuildLayer = (context) => {
  const { config, weight } = context;
  const image = onlyImage(context);
  const { taps, channels, ...window } = windowOf(context, image);
  const [group = 1] = config.integers("groups", [1]);
  const kernel = weight("kernel", [...taps, channels / group, -1]);
  const result = conv(image.first(), transpose(kernel, [3, 2, 0, 1]), {
    ...window,
    group,
    ...optional(biasOf(context, outputsOf(kernel))),
  });
  return ownActivation(Flow.first(result), config);
};

const optional = (bias: Value | undefined): { readonly bias?: Value } => (bias === undefined ? {} : { bias });

/** Convolves each channel with its kernels; the weight is `[height, width, in, multiplier]`. */
function depthwise(context: LayerContext, image: Flow, bias: Value | undefined): Value {
  const { taps, channels, ...window } = windowOf(context, image);
  const kernel = context.weight("depthwise_kernel", [...taps, channels, -1]);
  const multiplier = outputsOf(kernel);
  const apart = reshape(transpose(kernel, [2, 3, 0, 1]), [channels * multiplier, 1, ...taps]);
  return conv(image.first(), apart, { ...window, group: channels, ...optional(bias) });
}

const depthwiseConv2d: BuildLayer = (context) => {
  const image = onlyImage(context);
  const [multiplier = 1] = context.config.integers("depth_multiplier", [1]);
  const bias = biasOf(context, at(image.shape, 3, "axis") * multiplier);
  return ownActivation(Flow.first(depthwise(context, image, bias)), context.config);
};

const separableConv2d: BuildLayer = (context) => {
  const between = depthwise(context, onlyImage(context), undefined);
  const pointwise = context.weight("pointwise_kernel", [1, 1, at(between.shape, 1, "axis"), -1]);
  const bias = biasOf(context, outputsOf(pointwise));
  const result = conv(between, transpose(pointwise, [3, 2, 0, 1]), optional(bias));
  return ownActivation(Flow.first(result), context.config);
};

/**
 * Computes the margins that are cut off a transposed convolution, or the elements added at its
 * end, to get the extent of Keras.
 */
function cropOf(
  isSame: boolean,
  tap: number,
  stride: number,
): { before: number; after: number; extra: number } {
  // Without cropping there are (n - 1) stride + tap elements; Keras has n stride with padding `same`, else at
  // least as many.
  const surplus = isSame ? tap - stride : Math.min(0, tap - stride);
  if (surplus < 0) return { before: 0, after: 0, extra: -surplus };
  const before = Math.floor(surplus / 2);
  return { before, after: surplus - before, extra: 0 };
}

const conv2dTranspose: BuildLayer = (context) => {
  const { config, weight } = context;
  const image = onlyImage(context);
  const { taps, strides, dilations, channels } = windowOf(context, image);
  config.assert(
    "dilation_rate",
    dilations.every((step) => step === 1),
    "1",
  );
  config.assert("output_padding", config.value("output_padding") === undefined, "left out");
  const isSame = config.text("padding", "valid") === "same";
  const [rows, columns] = [cropOf(isSame, taps[0], strides[0]), cropOf(isSame, taps[1], strides[1])];
  const kernel = weight("kernel", [...taps, -1, channels]);
  const result = convTranspose(image.first(), transpose(kernel, [3, 2, 0, 1]), {
    strides,
    pads: [rows.before, columns.before, rows.after, columns.after],
    outputPads: [rows.extra, columns.extra],
    ...optional(biasOf(context, at(kernel.shape, 2, "axis"))),
  });
  return ownActivation(Flow.first(result), config);
};

const zeroPadding: BuildLayer = (context) => {
  const [rows, columns] = context.config.margins("padding");
  const x = onlyImage(context).first();
  return Flow.first(pad(x, [0, 0, rows[0], columns[0]], [0, 0, rows[1], columns[1]]));
};

const cropping: BuildLayer = (context) => {
  const { config } = context;
  const margins = config.margins("cropping");
  const x = onlyImage(context).first();
  const ranges = margins.map(([before, after], i) => {
    const end = at(x.shape, i + 2, "axis") - after;
    if (end <= before) throw config.malformed("cropping", "less than the image", config.value("cropping"));
    return { axis: i + 2, begin: before, end };
  });
  return Flow.first(slice(x, ranges));
};

/** Convolutions, and margins around images. */
export const CONVOLUTION_LAYERS: Readonly<Record<string, BuildLayer>> = {
  Conv2D: conv2d,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
  Conv2DTranspose: conv2dTranspose,
  ZeroPadding2D: zeroPadding,
  Cropping2D: cropping,
};
