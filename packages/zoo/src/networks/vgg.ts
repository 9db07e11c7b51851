import { at, sizeOf } from "@isthmus/core";
import { dropout, maxPool, relu, reshape, type Value } from "@isthmus/graph/builder";
import { imageShape, isSmall } from "../image-shape.ts";
import { HE_FAN_IN, HE_FAN_OUT, normalWeight } from "../initializer.ts";
import { convolution } from "../layers/convolution.ts";
import { type ImageNorm, imageNorm } from "../layers/image-norm.ts";
import { linear } from "../layers/linear.ts";
import { scaleChannels } from "../layers/scale-channels.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { resolveNetwork } from "../resolve-network.ts";
import { formatSpec } from "../short-string/format-spec.ts";

/** Options of {@link vgg}. */
export interface VggOptions {
  /** Number of convolutions before each pooling, at least two numbers: `[1, 1, 2, 2, 2]` is VGG-11. */
  readonly stages: readonly number[];
  /** Factor of all channels and of the hidden units of the head, in `[1 / 64, 64]`. @defaultValue 1 */
  readonly width?: number;
  /** Norm after every convolution. @defaultValue "batch" */
  readonly norm?: ImageNorm;
  /**
   * Dropout rate of the head's hidden units in training, in `[0, 0.99]`; 0.5 in the original.
   * @defaultValue 0
   */
  readonly dropout?: number;
}

/** Defaults of {@link VggOptions}, except for the stages. */
export const VGG_DEFAULTS: Required<Omit<VggOptions, "stages">> = Object.freeze({
  width: 1,
  norm: "batch",
  dropout: 0,
});

/** Numbers of channels of the first stages; later stages have as many as the last of these. */
const CHANNELS = [64, 128, 256, 512];

/** Number of hidden units of the head for large images. */
const HEAD = 4096;

/** Initializer of the last layer: logits start small, so that no class is preferred. */
const LOGITS_START = normalWeight(0.01);

/**
 * Builds a VGG: stages of 3x3 convolutions, each followed by a pooling that halves the image as long as it
 * has two pixels a side.
 *
 * Names are as in torchvision: `features.0.weight`, counting norms, rectifiers and poolings. Images of more
 * than 64 pixels get the original head of three linear layers on the whole last image (`classifier.0`, `.3`,
 * `.6`), smaller ones a single `classifier`, as is usual for CIFAR. Convolutions and the last layer are
 * initialized as in torchvision: normal of variance 2 over the fan-out, normal of deviation 0.01, biases 0.
 *
 * In contrast to torchvision, the hidden layers of the head are initialized normal of variance 2 over the
 * fan-in. torchvision's deviation of 0.01 is nearly the same for its 25,088 inputs, but with 512 inputs, as
 * in a narrow network, it shrinks values sixfold at every layer, and without norms the network then hardly
 * learns.
 * @throws InputError if examples are not images
 * @throws OutOfRangeError if an option is not allowed
 * @see Simonyan and Zisserman, Very deep convolutional networks, 2015, table 1
 */
export function vgg(options: VggOptions, shape: NetworkShape): Network {
  const defaults = { ...VGG_DEFAULTS, stages: [] as readonly number[] };
  const resolved = resolveNetwork("vgg", { defaults, options, shape });
  const image = imageShape("vgg", shape);
  const network = new NetworkBuilder("vgg");
  const features = addStages(network, network.input("x", shape.exampleShape), resolved);
  const flat = reshape(features, [-1, sizeOf(features.shape.slice(1))]);
  const logits = isSmall(image)
    ? linear(network, dropout(flat, resolved.dropout), "classifier", {
        out: shape.classes,
        initializer: LOGITS_START,
      })
    : addHead(network, flat, { ...resolved, classes: shape.classes });
  return network.build(logits, formatSpec("vgg", resolved, VGG_DEFAULTS));
}

function addStages(
  network: NetworkBuilder,
  input: Value,
  { stages, width, norm }: Required<VggOptions>,
): Value {
  let x = input;
  let index = 0;
  stages.forEach((convolutions, stage) => {
    const out = scaleChannels(at(CHANNELS, Math.min(stage, CHANNELS.length - 1), "stage"), width);
    for (let i = 0; i < convolutions; i++) {
      x = convolution(network, x, `features.${index++}`, {
        out,
        side: 3,
        bias: true,
        initializer: HE_FAN_OUT,
      });
      if (norm !== "none") x = imageNorm(network, x, `features.${index++}`, norm);
      x = relu(x);
      index += 1;
    }
    if (x.shape.slice(2).every((extent) => extent >= 2)) x = maxPool(x, [2, 2]);
    index += 1;
  });
  return x;
}

function addHead(
  network: NetworkBuilder,
  flat: Value,
  { width, dropout: ratio, classes }: Pick<Required<VggOptions>, "width" | "dropout"> & { classes: number },
): Value {
  const out = scaleChannels(HEAD, width);
  const initializer = HE_FAN_IN;
  const first = dropout(relu(linear(network, flat, "classifier.0", { out, initializer })), ratio);
  const second = dropout(relu(linear(network, first, "classifier.3", { out, initializer })), ratio);
  return linear(network, second, "classifier.6", { out: classes, initializer: LOGITS_START });
}
