import type { Value } from "@isthmus/graph/builder";
import { causalMask } from "../layers/attention.ts";
import type { RotaryTables } from "../layers/rotary.ts";
import { rowNorm } from "../layers/row-norm.ts";
import { embedTokens } from "./embed-tokens.ts";
import { type HeadParts, languageHead } from "./language-head.ts";
import { modelActivation } from "./model-activation.ts";
import type { ModelConfig } from "./model-config.ts";
import type { FamilyContext, FamilyOutputs } from "./model-family.ts";
import { modelRotary, type RotaryFields } from "./model-rotary.ts";

/** Names and defaults of a decoder whose heads turn a share of their dimensions by position. */
export interface RotaryDecoder {
  /** Name of the embedding, without prefix and `.weight`. */
  readonly embedding: string;
  /** Prefix of the weights of classes with a head. */
  readonly prefix: string;
  /** Prefix of the name of a block before its index. @defaultValue layers */
  readonly blocks?: string;
  /** Field of the config that names the activation. */
  readonly activation: string;
  /** Field of the number that norms add to the variance. @defaultValue layer_norm_eps */
  readonly epsilon?: string;
  /** Returns the width of feed-forward networks. @defaultValue the field intermediate_size */
  readonly hidden?: (config: ModelConfig) => number;
  /** Fields of the config for the rotary positions. */
  readonly rotary: Omit<RotaryFields, "inner">;
  /** Name of the norm behind the last block. */
  readonly norm: string;
  /** Name of a separate head, and whether it has a bias. */
  readonly head: Pick<HeadParts, "name" | "bias">;
}

/** Properties that all blocks of a decoder share. */
export interface RotaryBlock {
  /** Number of tokens of an example. */
  readonly length: number;
  /** Number of heads of each attention. */
  readonly heads: number;
  /** Number of dimensions of a head. */
  readonly inner: number;
  /** Width of the feed-forward network. */
  readonly hidden: number;
  /** Number that norms add to the variance. */
  readonly epsilon: number;
  /** Function of the hidden units of the feed-forward network. */
  readonly activation: (x: Value) => Value;
  /** Tables by which queries and keys are rotated. */
  readonly rotary: RotaryTables;
  /** Mask that hides later tokens, added to the scores of attention. */
  readonly mask: Value;
}

/**
 * Builds a decoder with layer norms, partly rotary positions and a head of its own.
 * @param addBlock - adds the block of a name to the stream `x`
 */
export function buildRotaryDecoder(
  context: FamilyContext,
  decoder: RotaryDecoder,
  addBlock: (x: Value, name: string, block: RotaryBlock) => Value,
): FamilyOutputs {
  const { network, config, length } = context;
  const { prefix, embedding, embed } = embedTokens(context, decoder.embedding, [decoder.prefix]);
  const { blocks = "layers", epsilon = "layer_norm_eps", hidden = intermediateSize } = decoder;
  const inner = config.quotient("hidden_size", "num_attention_heads");
  const block: RotaryBlock = {
    length,
    heads: config.count("num_attention_heads"),
    inner,
    hidden: hidden(config),
    epsilon: config.share(epsilon),
    activation: modelActivation(config, decoder.activation),
    rotary: modelRotary(context, { inner, ...decoder.rotary }),
    mask: network.graph.numbers(causalMask(length), "f32", [length, length]),
  };
  let x = embed();
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++)
    x = addBlock(x, `${prefix}${blocks}.${i}`, block);
  const rows = rowNorm(network, x, `${prefix}${decoder.norm}`, block.epsilon);
  return languageHead(context, { rows, embedding, ...decoder.head });
}

function intermediateSize(config: ModelConfig): number {
  return config.count("intermediate_size");
}
