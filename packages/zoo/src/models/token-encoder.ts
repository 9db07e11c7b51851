import { at } from "@isthmus/core";
import { add, gather, layerNorm, reshape, type Value } from "@isthmus/graph/builder";
import { constant, normal, normalWeight } from "../initializer.ts";
import type { EncoderExtents } from "../layers/encoder-extents.ts";
import { feedForward } from "../layers/feed-forward.ts";
import { linear } from "../layers/linear.ts";
import { type AttentionPart, multiHeadAttention } from "../layers/multi-head-attention.ts";
import type { FamilyContext } from "./model-family.ts";

/** Names of the weights of a block of a {@link tokenEncoder}; names of layers lack `.weight`. */
export interface EncoderBlockNames {
  readonly heads: Readonly<Record<AttentionPart, string>>;
  readonly output: string;
  readonly attentionNorm: string;
  readonly up: string;
  readonly down: string;
  readonly outputNorm: string;
}

/** Names of the weights of a {@link tokenEncoder}; names of layers lack `.weight`. */
export interface EncoderNames {
  readonly words: string;
  readonly positions: string;
  /** Name of the table of sentence types; missing if the encoder has none. */
  readonly types?: string;
  readonly norm: string;
  readonly block: (index: number) => EncoderBlockNames;
}

/** Names and extents of a {@link tokenEncoder}. */
export interface TokenEncoder extends EncoderExtents {
  readonly names: EncoderNames;
  readonly vocabulary: number;
  /** Number of rows of the table of positions. */
  readonly positions: number;
  /** Number of rows of the table of sentence types. @defaultValue 2 */
  readonly types?: number;
  /** Returns the indices of rows of the table of positions for tokens `ids [N, length]`. */
  readonly placesOf: (ids: Value) => Value;
}

/** Initializer of linear layers. */
export const ENCODER_START: ReturnType<typeof normalWeight> = normalWeight(0.02);

/**
 * Adds an encoder of texts with norms after the sums: embeddings of words, positions and sentence types, and
 * blocks of attention and a feed-forward network.
 * @returns the embedding of words, and rows `[N * length, width]`
 * @see Devlin et al., BERT, 2019, section 3
 */
export function tokenEncoder(
  context: FamilyContext,
  encoder: TokenEncoder,
): { readonly words: Value; readonly rows: Value } {
  const { network, length } = context;
  const { names, width, epsilon, placesOf } = encoder;
  const table = (name: string, rows: number) => network.weight(`${name}.weight`, [rows, width], normal(0.02));
  const ids = network.input("ids", [length], "i64");
  const typeIds = names.types === undefined ? undefined : network.input("token_type_ids", [length], "i64");
  const words = table(names.words, encoder.vocabulary);
  const places = gather(table(names.positions, encoder.positions), placesOf(ids));
  const embedded = gather(words, ids);
  const typed =
    names.types === undefined || typeIds === undefined
      ? embedded
      : add(embedded, gather(table(names.types, encoder.types ?? 2), typeIds));
  let rows = encoderNorm(context, reshape(add(typed, places), [-1, width]), names.norm, epsilon);
  for (let i = 0; i < encoder.depth; i++) rows = addBlock(context, rows, names.block(i), encoder);
  return { words, rows };
}

/** Applies a layer norm, whose weights are named gamma and beta in checkpoints converted from TensorFlow. */
export function encoderNorm({ network, has }: FamilyContext, x: Value, name: string, epsilon: number): Value {
  const [scale, shift] = has?.(`${name}.gamma`) ? ["gamma", "beta"] : ["weight", "bias"];
  const shape = [at(x.shape, x.shape.length - 1, "axis")];
  const affine = {
    scale: network.weight(`${name}.${scale}`, shape, constant(1)),
    bias: network.weight(`${name}.${shift}`, shape, constant(0)),
  };
  return layerNorm(x, affine, { epsilon });
}

function addBlock(context: FamilyContext, x: Value, names: EncoderBlockNames, encoder: TokenEncoder): Value {
  const { network, length } = context;
  const { width, heads, hidden, epsilon, activation } = encoder;
  const layer = { out: width, initializer: ENCODER_START };
  const mixed = multiHeadAttention((part) => linear(network, x, names.heads[part], layer), { length, heads });
  const attended = linear(network, mixed, names.output, layer);
  const middle = encoderNorm(context, add(x, attended), names.attentionNorm, epsilon);
  const result = feedForward(network, middle, {
    up: names.up,
    down: names.down,
    hidden,
    activation,
    initializer: ENCODER_START,
  });
  return encoderNorm(context, add(middle, result), names.outputNorm, epsilon);
}
