import { at } from "@isthmus/core";
import { add, globalAveragePool, maxPool, relu, reshape, type Value } from "@isthmus/graph/builder";
import { imageShape, isSmall } from "../image-shape.ts";
import { convolution } from "../layers/convolution.ts";
import { type ImageNorm, imageNorm } from "../layers/image-norm.ts";
import { linear } from "../layers/linear.ts";
import { scaleChannels } from "../layers/scale-channels.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { resolveNetwork } from "../resolve-network.ts";
import { formatSpec } from "../short-string/format-spec.ts";

/** Depths of residual networks for ImageNet. */
export type ResnetDepth = 18 | 34 | 50 | 101 | 152;

/** Depths of residual networks for small images: 2 layers, plus 6 for each block of the three stages. */
export type SmallResnetDepth = 8 | 14 | 20 | 32 | 44 | 56 | 110;

/** Options of {@link resnet}. */
export interface ResnetOptions {
  /** Number of layers with weights. */
  readonly depth: ResnetDepth | SmallResnetDepth;
  /** Factor of all channels, in `[1 / 64, 64]`. @defaultValue 1 */
  readonly width?: number;
  /** Norm after every convolution. @defaultValue "batch" */
  readonly norm?: Exclude<ImageNorm, "none">;
}

/** Defaults of {@link ResnetOptions}, except for the depth. */
export const RESNET_DEFAULTS: Required<Omit<ResnetOptions, "depth">> = Object.freeze({
  width: 1,
  norm: "batch",
});

/** Blocks of each stage, and whether blocks are bottlenecks, by depth; for ImageNet. */
const PLANS: ReadonlyMap<number, { readonly blocks: readonly number[]; readonly bottleneck: boolean }> =
  new Map([
    [18, { blocks: [2, 2, 2, 2], bottleneck: false }],
    [34, { blocks: [3, 4, 6, 3], bottleneck: false }],
    [50, { blocks: [3, 4, 6, 3], bottleneck: true }],
    [101, { blocks: [3, 4, 23, 3], bottleneck: true }],
    [152, { blocks: [3, 8, 36, 3], bottleneck: true }],
  ]);

/** Channels of the first stage of networks for large and for small images; every stage doubles them. */
const CHANNELS = { large: 64, small: 16 };

/** Number of output channels of a bottleneck per channel inside it. */
const EXPANSION = 4;

/**
 * Builds a residual network: depths 18, 34, 50, 101 and 152 are the networks for ImageNet, depths 8, 14, 20,
 * 32, 44, 56 and 110 the networks for CIFAR, with three stages of 16, 32 and 64 channels.
 *
 * Names are as in torchvision (`conv1`, `bn1`, `layer1.0.conv1`, `layer2.0.downsample.0`, `fc`), for every
 * norm. If a stage changes the number of channels, its shortcut is a 1x1 convolution and a norm; in
 * bottlenecks the 3x3 convolution has the stride. Networks for ImageNet begin with a 7x7 convolution and a
 * pooling, or with a 3x3 convolution if images have up to 64 pixels. Weights are initialized as in
 * torchvision: convolutions normal of variance 2 over the fan-out, the last layer as in `torch.nn.Linear`.
 * @throws InputError if examples are not images
 * @throws OutOfRangeError if an option is not allowed
 * @see He et al., Deep residual learning, 2016, table 1 and section 4.2
 */
export function resnet(options: ResnetOptions, shape: NetworkShape): Network {
  const family = PLANS.has(options.depth) ? "resnet" : "small-resnet";
  const defaults = { ...RESNET_DEFAULTS, depth: 0 as ResnetOptions["depth"] };
  const resolved = resolveNetwork(family, { defaults, options, shape });
  const image = imageShape("resnet", shape);
  const { depth, width, norm } = resolved;
  const plan = PLANS.get(depth) ?? { blocks: Array<number>(3).fill((depth - 2) / 6), bottleneck: false };
  const channels = family === "resnet" ? CHANNELS.large : CHANNELS.small;
  const network = new NetworkBuilder("resnet");
  const context: StageContext = { network, norm, bottleneck: plan.bottleneck };
  const isLarge = family === "resnet" && !isSmall(image);
  let x = addStem(context, network.input("x", shape.exampleShape), {
    out: scaleChannels(channels, width),
    isLarge,
  });
  plan.blocks.forEach((blocks, stage) => {
    const inner = scaleChannels(channels * 2 ** stage, width);
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = addBlock(context, x, `layer${stage + 1}.${block}`, { inner, stride });
    }
  });
  const pooled = reshape(globalAveragePool(x), [-1, at(x.shape, 1, "axis")]);
  const logits = linear(network, pooled, "fc", { out: shape.classes });
  return network.build(logits, formatSpec(family, resolved, RESNET_DEFAULTS));
}

interface StageContext {
  readonly network: NetworkBuilder;
  readonly norm: ImageNorm;
  readonly bottleneck: boolean;
}

function addStem(
  { network, norm }: StageContext,
  input: Value,
  { out, isLarge }: { readonly out: number; readonly isLarge: boolean },
): Value {
  const options = isLarge ? { out, side: 7, stride: 2 } : { out, side: 3 };
  const x = relu(imageNorm(network, convolution(network, input, "conv1", options), "bn1", norm));
  return isLarge ? maxPool(x, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }) : x;
}

interface Block {
  /** Number of channels inside the block. */
  readonly inner: number;
  readonly stride: number;
}

function addBlock(context: StageContext, x: Value, name: string, { inner, stride }: Block): Value {
  const { network, norm, bottleneck } = context;
  const out = bottleneck ? inner * EXPANSION : inner;
  const layers = bottleneck
    ? [
        { out: inner, side: 1 },
        { out: inner, side: 3, stride },
        { out, side: 1 },
      ]
    : [
        { out: inner, side: 3, stride },
        { out, side: 3 },
      ];
  const branch = layers.reduce((value, layer, i) => {
    const convolved = convolution(network, i === 0 ? value : relu(value), `${name}.conv${i + 1}`, layer);
    return imageNorm(network, convolved, `${name}.bn${i + 1}`, norm);
  }, x);
  return relu(add(branch, addShortcut(context, x, name, { out, stride })));
}

function addShortcut(
  { network, norm }: StageContext,
  x: Value,
  name: string,
  { out, stride }: { readonly out: number; readonly stride: number },
): Value {
  if (stride === 1 && x.shape[1] === out) return x;
  const projected = convolution(network, x, `${name}.downsample.0`, { out, side: 1, stride });
  return imageNorm(network, projected, `${name}.downsample.1`, norm);
}
