import { at } from "@isthmus/core";
import { add, dropout, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import type { EncoderExtents } from "./encoder-extents.ts";
import { feedForward } from "./feed-forward.ts";
import { linear } from "./linear.ts";
import { type AttentionPart, fusedProjection, multiHeadAttention } from "./multi-head-attention.ts";
import { rowNorm } from "./row-norm.ts";

/** Names of the weights of a {@link preNormBlock}; names of layers lack `.weight`. */
export interface PreNormNames {
  /** Name of the norm before the attention. */
  readonly attentionNorm: string;
  /** Name of one layer for queries, keys and values side by side, or names of three layers. */
  readonly heads: string | Readonly<Record<AttentionPart, string>>;
  /** Name of the layer that projects the heads back to the width of the rows. */
  readonly output: string;
  /** Name of the norm before the feed-forward network. */
  readonly feedForwardNorm: string;
  /** Name of the layer from the rows to the hidden units. */
  readonly up: string;
  /** Name of the layer from the hidden units back to the rows. */
  readonly down: string;
}

/** Extents and options of a {@link preNormBlock}. */
export interface PreNormBlock extends Pick<EncoderExtents, "heads" | "hidden" | "epsilon" | "activation"> {
  /** Number of tokens of an example. */
  readonly length: number;
  /** Whether the layers of queries, keys and values have biases. @defaultValue true */
  readonly headBias?: boolean;
  /** Whether the layer of keys has a bias. @defaultValue the value of `headBias` */
  readonly keyBias?: boolean;
  /** Dropout rate after projections and hidden layers in training; 0 adds no operator. @defaultValue 0 */
  readonly dropout?: number;
  /** Summand of the scores of the attention, `[length, length]`. @defaultValue none */
  readonly mask?: Value;
}

const START = normalWeight(0.02);

/**
 * Adds a block of a transformer to the rows of tokens `x [N * length, width]`: attention and a feed-forward
 * network, each behind a layer norm and added to the rows.
 * @see Xiong et al., On layer normalization in the transformer architecture, 2020, figure 1 (b)
 */
export function preNormBlock(
  network: NetworkBuilder,
  x: Value,
  names: PreNormNames,
  block: PreNormBlock,
): Value {
  return addFeedForward(network, addAttention(network, x, names, block), names, block);
}

/** Rows of another stack that an attention reads. */
interface SeenRows {
  /** Rows that give keys and values, `[N * length, width]`. */
  readonly rows: Value;
  /** Number of rows of an example. */
  readonly length: number;
}

/**
 * Adds attention behind a layer norm to rows `[N * length, width]`.
 * @param block - extents; with `seen`, the attention is to these rows instead of the rows themselves
 */
export function addAttention(
  network: NetworkBuilder,
  x: Value,
  names: Pick<PreNormNames, "attentionNorm" | "heads" | "output">,
  block: PreNormBlock & { readonly seen?: SeenRows },
): Value {
  const { length, heads, epsilon, mask, seen } = block;
  const normalized = rowNorm(network, x, names.attentionNorm, epsilon);
  const project = headProjection(network, normalized, names.heads, block);
  const mixed = multiHeadAttention(project, {
    length,
    heads,
    ...(mask === undefined ? {} : { mask }),
    ...(seen === undefined ? {} : { seen: seen.length }),
  });
  const out = at(x.shape, 1, "axis");
  return add(
    x,
    dropout(linear(network, mixed, names.output, { out, initializer: START }), block.dropout ?? 0),
  );
}

/** Adds a feed-forward network behind a layer norm to rows `[N * length, width]`. */
export function addFeedForward(
  network: NetworkBuilder,
  x: Value,
  { feedForwardNorm, up, down }: Pick<PreNormNames, "feedForwardNorm" | "up" | "down">,
  { hidden, epsilon, activation, dropout: rate = 0 }: PreNormBlock,
): Value {
  const drop = (value: Value) => dropout(value, rate);
  const rows = rowNorm(network, x, feedForwardNorm, epsilon);
  return add(x, drop(feedForward(network, rows, { up, down, hidden, activation, initializer: START, drop })));
}

function headProjection(
  network: NetworkBuilder,
  rows: Value,
  names: PreNormNames["heads"],
  { headBias = true, keyBias = headBias, seen }: PreNormBlock & { readonly seen?: SeenRows },
): (part: AttentionPart) => Value {
  if (typeof names === "string")
    return fusedProjection(network, rows, names, { initializer: START, bias: headBias });
  const out = at(rows.shape, 1, "axis");
  return (part) =>
    linear(network, part === "query" ? rows : (seen?.rows ?? rows), names[part], {
      out,
      initializer: START,
      bias: part === "key" ? keyBias : headBias,
    });
}
