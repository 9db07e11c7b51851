import { at } from "@isthmus/core";
import { add, dropout, pad, reshape, transpose, type Value } from "@isthmus/graph/builder";
import { type Initializer, normal, TORCH_DEFAULT } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { convolution } from "./convolution.ts";
import type { EncoderExtents } from "./encoder-extents.ts";
import { type PreNormNames, preNormBlock } from "./pre-norm-block.ts";
import { rowNorm } from "./row-norm.ts";

/** Names of the weights of a {@link visionTransformer}. */
export interface VisionNames {
  /** Name of the class token, `[1, 1, width]`; missing if there are rows of patches alone. */
  readonly token?: string;
  /** Name of the table of positions, `[1, length, width]`. */
  readonly positions: string;
  /** Name of the layer that projects patches. */
  readonly projection: string;
  /** Name of the norm of the rows before the first block; missing if there is none. */
  readonly embeddedNorm?: string;
  /** Function that returns the names of a block by its index, from 0. */
  readonly block: (index: number) => PreNormNames;
}

/** Options of {@link visionTransformer}. */
export interface VisionOptions extends EncoderExtents {
  /** Names of the weights. */
  readonly names: VisionNames;
  /** Side of a patch in pixels; divides the sides of the image. */
  readonly patch: number;
  /** Initializer of the class token. */
  readonly tokenInitializer: Initializer;
  /** Whether the layers of queries, keys and values have biases. */
  readonly headBias: boolean;
  /** Dropout rate after embeddings, projections and hidden layers in training; 0 adds no operator. */
  readonly dropout: number;
  /** Whether the layer that projects patches has a bias. @defaultValue true */
  readonly patchBias?: boolean;
  /** Whether the class token is `[width]` and positions are `[length, width]`. @defaultValue false */
  readonly flat?: boolean;
}

/** Initial standard deviation of positions. */
const DEVIATION = 0.02;

/**
 * Adds a vision transformer up to its last block to a network: patches, usually after a class token, learned
 * positions, and blocks with norms before attention and feed-forward network.
 * @param images - `[N, channels, height, width]`
 * @returns the rows of tokens before the last norm, `[N * length, width]`, of `length = 1 + patches` tokens
 * an image, or `patches` without a class token
 * @see Dosovitskiy et al., An image is worth 16x16 words, 2021, section 3.1
 */
export function visionTransformer(
  network: NetworkBuilder,
  images: Value,
  options: VisionOptions,
): { readonly rows: Value; readonly length: number } {
  const { names, depth, width, epsilon } = options;
  const tokens = embed(network, images, options);
  const length = at(tokens.shape, 1, "axis");
  let rows = dropout(reshape(tokens, [-1, width]), options.dropout);
  if (names.embeddedNorm !== undefined) rows = rowNorm(network, rows, names.embeddedNorm, epsilon);
  for (let i = 0; i < depth; i++) rows = preNormBlock(network, rows, names.block(i), { ...options, length });
  return { rows, length };
}

/** Adds rows of patches with positions, behind a row for the class token if there is one. */
function embed(
  network: NetworkBuilder,
  images: Value,
  { names, patch, width, tokenInitializer, patchBias = true, flat = false }: VisionOptions,
): Value {
  const patches = (at(images.shape, 2, "axis") / patch) * (at(images.shape, 3, "axis") / patch);
  const outer = flat ? [] : [1];
  const token =
    names.token === undefined
      ? undefined
      : network.weight(names.token, [...outer, ...outer, width], tokenInitializer);
  const length = token === undefined ? patches : patches + 1;
  const positions = network.weight(names.positions, [...outer, length, width], normal(DEVIATION));
  const projected = convolution(network, images, names.projection, {
    out: width,
    side: patch,
    stride: patch,
    pad: 0,
    bias: patchBias,
    initializer: TORCH_DEFAULT,
  });
  const rows = transpose(reshape(projected, [-1, width, patches]), [0, 2, 1]);
  if (token === undefined) return add(rows, positions);
  const first = flat ? reshape(token, [1, 1, width]) : token;
  // Zero rows and a sum put the token in front of any batch, without a shape that depends on the batch.
  const fixed = add(pad(first, [0, 0, 0], [0, patches, 0]), positions);
  return add(pad(rows, [0, 1, 0], [0, 0, 0]), fixed);
}
