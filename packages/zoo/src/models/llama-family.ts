import { mul } from "@isthmus/graph/builder";
import type { HeadNormKind } from "../layers/head-norms.ts";
import { type LlamaBlock, llamaBlock, type NormPlaces } from "../layers/llama-block.ts";
import type { RotaryTables } from "../layers/rotary.ts";
import { normalizeRows, type RowNormOptions } from "../layers/row-norm.ts";
import { addImages } from "./add-images.ts";
import { embedTokens } from "./embed-tokens.ts";
import { languageHead } from "./language-head.ts";
import { layerMasks, type WindowRule } from "./layer-masks.ts";
import { modelActivation } from "./model-activation.ts";
import type { ModelConfig } from "./model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "./model-family.ts";
import { modelRotary } from "./model-rotary.ts";
import { narrowGroups } from "./narrow-heads.ts";

/** Differences between Llama and its relatives; each has the value of Llama unless it is given. */
export interface LlamaKind extends Pick<LlamaBlock, "fused"> {
  /**
   * Returns which layers have biases. @defaultValue the layers for which `attention_bias` and `mlp_bias` ask
   */
  readonly biases?: (config: ModelConfig) => LlamaBlock["biases"];
  /** Rule for the layers that see a window if the config does not list them. */
  readonly windows: WindowRule;
  /** Reads the number of dimensions of a head. @defaultValue `head_dim`, else the width over the heads */
  readonly inner?: (config: ModelConfig) => number;
  /** Field of the config that names the activation. @defaultValue hidden_act */
  readonly activation?: string;
  /** Kind, offset and epsilon of norms. */
  readonly norm?: NormFields;
  /** Returns which rows of a block are normalised. @defaultValue before */
  readonly normPlaces?: (config: ModelConfig) => NormPlaces;
  /** Returns how queries and keys are normalised. @defaultValue none */
  readonly headNorms?: (config: ModelConfig) => HeadNormKind | undefined;
  /** Returns the factors of values of the network. @defaultValue all are 1 */
  readonly factors?: (config: ModelConfig) => Factors;
  /**
   * Fields of published configs with the only value for which the network is the one that is built: other
   * values are refused.
   */
  readonly only?: Readonly<Record<string, string | boolean | number>>;
  /**
   * Returns the divisor of scores and the bounds of scores and logits. @defaultValue the usual scale, no
   * bounds
   */
  readonly scoring?: (config: ModelConfig) => Scoring;
  /** Returns tables of rotary positions by the index of a layer. @defaultValue the same for all layers */
  readonly rotary?: (context: FamilyContext, inner: number) => RotaryOf;
  /**
   * Returns the builder of the attention of a layer. @defaultValue Llama's attention
   */
  readonly attention?: (context: FamilyContext) => (layer: number) => LlamaBlock["attention"];
  /**
   * Returns the builder of the feed-forward network of a layer; undefined for Llama's.
   * @defaultValue Llama's feed-forward network
   */
  readonly feedForward?: (context: FamilyContext) => (layer: number) => LlamaBlock["feedForward"];
  /** Returns fields for a config of the same structure with few units, besides the usual ones. */
  readonly narrow?: (config: ModelConfig) => Readonly<Record<string, number>>;
}

/** Function from the index of a layer to its rotary positions; undefined if the layer has no positions. */
export type RotaryOf = (layer: number) => RotaryTables | undefined;

/** Kind, offset and epsilon of the norms of a family. */
export interface NormFields extends Pick<RowNormOptions, "kind" | "offset"> {
  /** Field of the number that is added to the variance. @defaultValue rms_norm_eps */
  readonly epsilon?: string;
}

/** Factors of values of a network; a factor that is missing is 1. */
export interface Factors {
  /** Factor of the embeddings of tokens. */
  readonly embedding?: number;
  /** Factor of what attention and feed-forward network add to the stream. */
  readonly added?: number;
  /** Factor of the logits of the network. */
  readonly logits?: number;
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
    narrow: (config) => ({ ...narrowGroups(config, headExtent(config, kind)), ...kind.narrow?.(config) }),
    idle: /rotary_emb\.inv_freq$/,
  };
}

function build(context: FamilyContext, kind: LlamaKind): FamilyOutputs {
  const { network, config } = context;
  for (const [field, value] of Object.entries(kind.only ?? {})) config.require(field, value);
  const { prefix, embedding, embed } = embedTokens(context, "embed_tokens", PREFIXES);
  const shared = readBlock(context, kind);
  const factors = kind.factors?.(config) ?? {};
  const rotaryOf = kind.rotary?.(context, shared.inner) ?? usualRotary(context, shared.inner);
  const maskOf = layerMasks(context, kind.windows);
  const attentionOf = kind.attention?.(context);
  const feedForwardOf = kind.feedForward?.(context);
  let x = embed();
  if ((factors.embedding ?? 1) !== 1) x = mul(x, factors.embedding ?? 1);
  x = addImages(context, x);
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++) {
    const attention = attentionOf?.(i);
    const feedForward = feedForwardOf?.(i);
    const block: LlamaBlock = {
      ...shared,
      rotary: rotaryOf(i),
      mask: maskOf(i),
      addedScale: factors.added ?? 1,
      ...(attention === undefined ? {} : { attention }),
      ...(feedForward === undefined ? {} : { feedForward }),
    };
    x = llamaBlock(network, x, `${prefix}layers.${i}`, block);
  }
  const rows = normalizeRows(network, x, `${prefix}norm`, shared.norm);
  const cap = kind.scoring?.(config).logitCap;
  return languageHead(context, { rows, embedding, name: headName(prefix), cap, factor: factors.logits });
}

/** Prefixes of weights: of models of texts, and in two forms of models that see images, too. */
const PREFIXES = ["model.", "language_model.model.", "model.language_model."] as const;

/** Returns the name of the head, which lies beside the model of a prefix. */
function headName(prefix: string): string {
  return prefix.endsWith(".model.") ? prefix.replace(/model\.$/, "lm_head") : "lm_head";
}

/** Reads the properties that all blocks share, except positions and masks. */
function readBlock(context: FamilyContext, kind: LlamaKind): Omit<LlamaBlock, "mask" | "rotary"> {
  const { config, length } = context;
  const heads = config.count("num_attention_heads");
  if (config.has("num_key_value_heads")) config.quotient("num_attention_heads", "num_key_value_heads");
  const { scale, cap } = kind.scoring?.(config) ?? {};
  const { epsilon = "rms_norm_eps", ...norms } = kind.norm ?? {};
  const norm = { ...norms, epsilon: config.share(epsilon) };
  const headNorms = kind.headNorms?.(config);
  return {
    length,
    heads,
    groups: config.count("num_key_value_heads", heads),
    inner: headExtent(config, kind),
    hidden: config.count("intermediate_size"),
    norm,
    normPlaces: kind.normPlaces?.(config) ?? "before",
    biases: (kind.biases ?? askedBiases)(config),
    activation: modelActivation(config, kind.activation ?? "hidden_act"),
    scores: { ...(scale === undefined ? {} : { scale }), ...(cap === undefined ? {} : { cap }) },
    headNorms: headNorms && { kind: headNorms, norm: { ...norm, ...HEAD_NORM[headNorms] } },
    fused: kind.fused ?? false,
  };
}

/** Kinds of the norms of heads that differ from the norms of rows. */
const HEAD_NORM: Readonly<Record<HeadNormKind, Pick<RowNormOptions, "kind">>> = {
  shared: {},
  whole: {},
  rows: { kind: "unbiased" },
  listed: { kind: "unbiased" },
};

function askedBiases(config: ModelConfig): LlamaBlock["biases"] {
  const biased = config.boolean("attention_bias");
  return { query: biased, output: biased, hidden: config.boolean("mlp_bias") };
}

function usualRotary(context: FamilyContext, inner: number): RotaryOf {
  const tables = modelRotary(context, { inner, base: "rope_theta" });
  return () => tables;
}

function headExtent(config: ModelConfig, { inner }: LlamaKind): number {
  if (inner !== undefined) return inner(config);
  return config.has("head_dim")
    ? config.count("head_dim")
    : config.quotient("hidden_size", "num_attention_heads");
}
