import { gelu, reshape, slice } from "@isthmus/graph/builder";
import { imageShape } from "../image-shape.ts";
import { normal, normalWeight } from "../initializer.ts";
import { linear } from "../layers/linear.ts";
import { rowNorm } from "../layers/row-norm.ts";
import { type VisionNames, visionTransformer } from "../layers/vision-transformer.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { assertDivides, resolveNetwork } from "../resolve-network.ts";
import { formatSpec } from "../short-string/format-spec.ts";

/** Options of {@link vit}. */
export interface VitOptions {
  /** Side of a patch in pixels; divides the sides of the image. @defaultValue 16 */
  readonly patch?: number;
  /** Number of blocks. @defaultValue 12 */
  readonly depth?: number;
  /** Width of the residual stream. @defaultValue 768 */
  readonly width?: number;
  /** Number of heads of each attention; divides the width. @defaultValue 12 */
  readonly heads?: number;
  /** Number of hidden units of each feed-forward network. @defaultValue 4 times the width */
  readonly hidden?: number | undefined;
  /**
   * Dropout rate after embeddings, projections and hidden layers in training, in `[0, 0.99]`.
   * @defaultValue 0
   */
  readonly dropout?: number;
}

/** Defaults of {@link VitOptions}: ViT-B/16. */
export const VIT_DEFAULTS: Required<VitOptions> = Object.freeze({
  patch: 16,
  depth: 12,
  width: 768,
  heads: 12,
  hidden: undefined,
  dropout: 0,
});

/** Epsilon of the norms. */
const EPSILON = 1e-6;

/**
 * Initializer of the head; timm truncates the normal distribution, but only at 100 deviations, where no mass
 * is left.
 */
const START = normalWeight(0.02);

/** Names of weights in timm. */
const NAMES: VisionNames = {
  token: "cls_token",
  positions: "pos_embed",
  projection: "patch_embed.proj",
  block: (index) => ({
    attentionNorm: `blocks.${index}.norm1`,
    heads: `blocks.${index}.attn.qkv`,
    output: `blocks.${index}.attn.proj`,
    feedForwardNorm: `blocks.${index}.norm2`,
    up: `blocks.${index}.mlp.fc1`,
    down: `blocks.${index}.mlp.fc2`,
  }),
};

/**
 * Builds a vision transformer: patches and a class token, learned positions, pre-norm blocks, and a
 * classifier of the class token's row.
 *
 * Names are as in timm: `cls_token`, `pos_embed`, `patch_embed.proj`, `blocks.0.attn.qkv`, `head`. Weights
 * are initialized as in timm: linear layers and positions normal of deviation 0.02, biases 0, the class token
 * near 0, the projection of patches as in `torch.nn.Conv2d`.
 * @throws InputError if examples are not images, or patches do not tile them
 * @throws OutOfRangeError if an option is not allowed
 * @see Dosovitskiy et al., An image is worth 16x16 words, 2021
 */
export function vit(options: VitOptions, shape: NetworkShape): Network {
  const resolved = resolveNetwork("vit", { defaults: VIT_DEFAULTS, options, shape });
  const { patch, depth, width, heads } = resolved;
  const image = imageShape("vit", shape);
  assertDivides("vit", ["the image's height", image.height], ["patch", patch]);
  assertDivides("vit", ["the image's width", image.width], ["patch", patch]);
  assertDivides("vit", ["width", width], ["heads", heads]);
  const hidden = resolved.hidden ?? 4 * width;
  const network = new NetworkBuilder("vit");
  const { rows, length } = visionTransformer(network, network.input("x", shape.exampleShape), {
    names: NAMES,
    patch,
    width,
    depth,
    heads,
    hidden,
    epsilon: EPSILON,
    activation: (x) => gelu(x),
    tokenInitializer: normal(1e-6),
    headBias: true,
    dropout: resolved.dropout,
  });
  // The norm works on single rows, and the head reads only the row of the class token.
  const first = slice(reshape(rows, [-1, length, width]), [{ axis: 1, begin: 0, end: 1 }]);
  const row = rowNorm(network, reshape(first, [-1, width]), "norm", EPSILON);
  const logits = linear(network, row, "head", { out: shape.classes, initializer: START });
  const canonical = { ...resolved, hidden: hidden === 4 * width ? undefined : hidden };
  return network.build(logits, formatSpec("vit", canonical, VIT_DEFAULTS));
}
