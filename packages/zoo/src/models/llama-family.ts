import { mul } from "@isthmus/graph/builder";
import { type LlamaBlock, llamaBlock } from "../layers/llama-block.ts";
import type { RotaryTables } from "../layers/rotary.ts";
import { rootMeanSquareNorm } from "../layers/row-norm.ts";
import { embedTokens } from "./embed-tokens.ts";
import { languageHead } from "./language-head.ts";
import { layerMasks, type WindowRule } from "./layer-masks.ts";
import { modelActivation } from "./model-activation.ts";
import type { ModelConfig } from "./model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "./model-family.ts";
import { modelRotary } from "./model-rotary.ts";
import { narrowGroups } from "./narrow-heads.ts";

/** Differences between Llama and its relatives. */
export interface LlamaKind extends Pick<LlamaBlock, "headNorms" | "outputNorms" | "fused"> {
  /** Whether projections to queries, keys and values have biases if the config does not state it. */
  readonly queryBias: boolean;
  /** Rule for the layers that see a window if the config does not list them. */
  readonly windows: WindowRule;
  /** Whether the embedding is also the head if the config does not state it. */
  readonly tied: boolean;
  /**
   * Number of dimensions of a head if the config does not state it. @defaultValue the width over the heads
   */
  readonly inner?: number;
  /** Field of the config that names the activation, and its default. @defaultValue hidden_act, silu */
  readonly activation?: readonly [field: string, fallback: string];
  /** Number that is added to the weights of norms. @defaultValue 0 */
  readonly normOffset?: number;
  /** Whether embeddings are multiplied by the square root of their width. @defaultValue false */
  readonly scaledEmbeddings?: boolean;
  /**
   * Returns the divisor of scores and the bounds of scores and logits. @defaultValue the usual scale, no
   * bounds
   */
  readonly scoring?: (config: ModelConfig) => Scoring;
  /** Returns tables of rotary positions by the index of a layer. @defaultValue the same for all layers */
  readonly rotary?: (context: FamilyContext, inner: number) => (layer: number) => RotaryTables;
  /** Returns the builder of the feed-forward network of blocks. @defaultValue Llama's feed-forward network */
  readonly feedForward?: (context: FamilyContext) => LlamaBlock["feedForward"];
}

/** Scale of the scores of attention, and bounds; undefined for none. */
export interface Scoring {
  /** Factor of the products of queries and keys. */
  readonly scale: number;
  /** Bound `c` of the scores, which become `c tanh(score / c)`; undefined if they have no bound. */
  readonly cap: number | undefined;
  /** Bound of the logits of the network, applied in the same way; undefined if they have no bound. */
  readonly logitCap: number | undefined;
}

/** Creates a family of decoders made of blocks of Llama. @see Touvron et al., LLaMA, 2023, section 2.2 */
export function llamaFamily(kind: LlamaKind): ModelFamily {
  return {
    build: (context) => build(context, kind),
    narrow: (config) => narrowGroups(config, headExtent(config, kind)),
    idle: /rotary_emb\.inv_freq$/,
  };
}

function build(context: FamilyContext, kind: LlamaKind): FamilyOutputs {
  const { network, config } = context;
  const { prefix, embedding, embed } = embedTokens(context, "embed_tokens", "model.");
  const shared = readBlock(context, kind);
  const rotaryOf = kind.rotary?.(context, shared.inner) ?? usualRotary(context, shared.inner);
  const maskOf = layerMasks(context, kind.windows);
  let x = embed();
  if (kind.scaledEmbeddings) x = mul(x, Math.sqrt(config.count("hidden_size")));
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++) {
    const block = { ...shared, rotary: rotaryOf(i), mask: maskOf(i) };
    x = llamaBlock(network, x, `${prefix}layers.${i}`, block);
  }
  const rows = rootMeanSquareNorm(network, x, `${prefix}norm`, shared.norm);
  const cap = kind.scoring?.(config).logitCap;
  return languageHead(context, { rows, embedding, name: "lm_head", tied: kind.tied, cap });
}

/** Reads the properties that all blocks share, except positions and masks. */
function readBlock(context: FamilyContext, kind: LlamaKind): Omit<LlamaBlock, "mask" | "rotary"> {
  const { queryBias, headNorms = false, outputNorms = false, fused = false, normOffset = 0 } = kind;
  const { config, length } = context;
  const heads = config.count("num_attention_heads");
  if (config.has("num_key_value_heads")) config.quotient("num_attention_heads", "num_key_value_heads");
  const biased = config.boolean("attention_bias", queryBias);
  const [field, fallback] = kind.activation ?? ["hidden_act", "silu"];
  const feedForward = kind.feedForward?.(context);
  const { scale, cap } = kind.scoring?.(config) ?? {};
  return {
    length,
    heads,
    groups: config.count("num_key_value_heads", heads),
    inner: headExtent(config, kind),
    hidden: config.count("intermediate_size"),
    norm: { epsilon: config.share("rms_norm_eps", 1e-6), offset: normOffset },
    biases: { query: biased, output: biased && !queryBias, hidden: config.boolean("mlp_bias", false) },
    activation: modelActivation(config, field, fallback),
    scores: { ...(scale === undefined ? {} : { scale }), ...(cap === undefined ? {} : { cap }) },
    headNorms,
    outputNorms,
    fused,
    ...(feedForward === undefined ? {} : { feedForward }),
  };
}

function usualRotary(context: FamilyContext, inner: number): (layer: number) => RotaryTables {
  const tables = modelRotary(context, { inner, base: "rope_theta" });
  return () => tables;
}

function headExtent(config: ModelConfig, { inner }: LlamaKind): number {
  if (config.has("head_dim")) return config.count("head_dim");
  return inner ?? config.quotient("hidden_size", "num_attention_heads");
}
