import { at } from "@isthmus/core";
import { add, dropout, pad, reshape, transpose, type Value } from "@isthmus/graph/builder";
import { type Initializer, normal, normalWeight, TORCH_DEFAULT } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { convolution } from "./convolution.ts";
import type { EncoderExtents } from "./encoder-extents.ts";
import { feedForward } from "./feed-forward.ts";
import { linear } from "./linear.ts";
import { type AttentionPart, fusedProjection, multiHeadAttention } from "./multi-head-attention.ts";
import { rowNorm } from "./row-norm.ts";

/** Names of the weights of a block of a vision transformer; names of layers lack `.weight`. */
export interface VisionBlockNames {
  readonly attentionNorm: string;
  /** Name of one layer for queries, keys and values side by side, or names of three layers. */
  readonly heads: string | Readonly<Record<AttentionPart, string>>;
  readonly output: string;
  readonly feedForwardNorm: string;
  readonly up: string;
  readonly down: string;
}

/** Names of the weights of a {@link visionTransformer}. */
export interface VisionNames {
  readonly token: string;
  readonly positions: string;
  /** Name of the layer that projects patches. */
  readonly projection: string;
  readonly block: (index: number) => VisionBlockNames;
}

/** Options of {@link visionTransformer}. */
export interface VisionOptions extends EncoderExtents {
  readonly names: VisionNames;
  /** Side of a patch in pixels; divides the sides of the image. */
  readonly patch: number;
  /** Initializer of the class token. */
  readonly tokenInitializer: Initializer;
  /** Whether the layers of queries, keys and values have biases. */
  readonly headBias: boolean;
  /** Dropout rate after embeddings, projections and hidden layers in training; 0 adds no operator. */
  readonly dropout: number;
}

/** Initial standard deviation of positions and linear layers. */
const DEVIATION = 0.02;

const START = normalWeight(DEVIATION);

/**
 * Adds a vision transformer up to its last block to a network: patches after a class token, learned
 * positions, and blocks with norms before attention and feed-forward network.
 * @param images - `[N, channels, height, width]`
 * @returns the rows of tokens before the last norm, `[N * length, width]`, of `length = 1 + patches` tokens
 * an image
 * @see Dosovitskiy et al., An image is worth 16x16 words, 2021, section 3.1
 */
export function visionTransformer(
  network: NetworkBuilder,
  images: Value,
  options: VisionOptions,
): { readonly rows: Value; readonly length: number } {
  const { names, depth, width } = options;
  const tokens = embed(network, images, options);
  const length = at(tokens.shape, 1, "axis");
  let rows = dropout(reshape(tokens, [-1, width]), options.dropout);
  for (let i = 0; i < depth; i++) rows = addBlock(network, rows, names.block(i), { ...options, length });
  return { rows, length };
}

/** Adds rows of patches behind a row for the class token, with positions: `[N, 1 + patches, width]`. */
function embed(
  network: NetworkBuilder,
  images: Value,
  { names, patch, width, tokenInitializer }: VisionOptions,
): Value {
  const token = network.weight(names.token, [1, 1, width], tokenInitializer);
  const patches = (at(images.shape, 2, "axis") / patch) * (at(images.shape, 3, "axis") / patch);
  const positions = network.weight(names.positions, [1, patches + 1, width], normal(DEVIATION));
  const projected = convolution(network, images, names.projection, {
    out: width,
    side: patch,
    stride: patch,
    pad: 0,
    bias: true,
    initializer: TORCH_DEFAULT,
  });
  const rows = transpose(reshape(projected, [-1, width, patches]), [0, 2, 1]);
  // Zero rows and a sum put the token in front of any batch, without a shape that depends on the batch.
  const fixed = add(pad(token, [0, 0, 0], [0, patches, 0]), positions);
  return add(pad(rows, [0, 1, 0], [0, 0, 0]), fixed);
}

/** Adds a block to the rows of tokens `x [N * length, width]`. */
function addBlock(
  network: NetworkBuilder,
  x: Value,
  names: VisionBlockNames,
  block: VisionOptions & { readonly length: number },
): Value {
  const { length, heads, width, hidden, epsilon, activation } = block;
  const drop = (value: Value) => dropout(value, block.dropout);
  const normalized = rowNorm(network, x, names.attentionNorm, epsilon);
  const project = headProjection(network, normalized, names.heads, block.headBias);
  const mixed = multiHeadAttention(project, { length, heads });
  const attended = linear(network, mixed, names.output, { out: width, initializer: START });
  const middle = add(x, drop(attended));
  const rows = rowNorm(network, middle, names.feedForwardNorm, epsilon);
  const { up, down } = names;
  const result = feedForward(network, rows, { up, down, hidden, activation, initializer: START, drop });
  return add(middle, drop(result));
}

function headProjection(
  network: NetworkBuilder,
  rows: Value,
  names: VisionBlockNames["heads"],
  bias: boolean,
): (part: AttentionPart) => Value {
  if (typeof names === "string") return fusedProjection(network, rows, names, { initializer: START, bias });
  const out = at(rows.shape, 1, "axis");
  return (part) => linear(network, rows, names[part], { out, initializer: START, bias });
}
