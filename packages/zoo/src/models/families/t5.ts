import { add, gather, mul, reshape, sub, transpose, type Value } from "@isthmus/graph/builder";
import { normal, normalWeight } from "../../initializer.ts";
import { causalMask } from "../../layers/attention.ts";
import { distanceBuckets } from "../../layers/distance-buckets.ts";
import { linear } from "../../layers/linear.ts";
import { multiHeadAttention } from "../../layers/multi-head-attention.ts";
import { rootMeanSquareNorm } from "../../layers/row-norm.ts";
import { languageHead } from "../language-head.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";

/**
 * T5, an encoder and a decoder with biases by distance in place of positions; also its encoder alone. The
 * decoder's tokens are the input `decoder_input_ids`. @see Raffel et al., Exploring the limits of transfer
 * learning with a unified text-to-text transformer, 2020, section 2.1
 */
export const T5: ModelFamily = {
  build,
  narrow,
  seesAll: true,
  predicts: (config) => ({
    kind: "continued",
    start: config.index("decoder_start_token_id", 0),
    padding: config.index("pad_token_id"),
  }),
  maxLength: () => undefined,
  // Stacks contain copies of the shared embedding; the tables of biases between the stacks are not read.
  idle: /((en|de)coder\.embed_tokens|EncDecAttention\.relative_attention_bias)\.weight$/,
};

const START = normalWeight(0.02);

/** Properties that all blocks of a stack share. */
interface Stack {
  /** Prefix of names. */
  readonly name: "encoder" | "decoder";
  readonly blocks: number;
  readonly length: number;
  readonly width: number;
  readonly heads: number;
  /** Number of dimensions of a head. */
  readonly inner: number;
  readonly hidden: number;
  readonly epsilon: number;
  readonly gated: boolean;
  readonly activation: (x: Value) => Value;
  /** Summand of the scores of the attention within the stack, `[N, heads, length, length]`. */
  readonly bias: Value;
}

function build(context: FamilyContext): FamilyOutputs {
  const { network, config, length, has } = context;
  const width = config.count("d_model");
  const name = has?.("shared.weight") === false ? "encoder.embed_tokens" : "shared";
  const ids = network.input("ids", [length], "i64");
  const embedding = network.weight(`${name}.weight`, [config.count("vocab_size"), width], normal(0.02));
  const embed = (tokens: Value) => reshape(gather(embedding, tokens), [-1, width]);
  const blocks = config.blocks("num_layers");
  const encoded = addStack(context, embed(ids), readStack(context, ids, { name: "encoder", blocks }));
  if (isEncoder(context)) return { hidden: reshape(encoded, [-1, length, width]) };
  const decoderIds = network.input("decoder_input_ids", [length], "i64");
  const decoderBlocks = config.has("num_decoder_layers") ? config.blocks("num_decoder_layers") : blocks;
  const decoder = readStack(context, decoderIds, { name: "decoder", blocks: decoderBlocks });
  const decoded = addStack(context, embed(decoderIds), decoder, encoded);
  const tied = config.boolean("tie_word_embeddings");
  const isScaled = config.boolean("scale_decoder_outputs", tied);
  const rows = isScaled ? mul(decoded, 1 / Math.sqrt(width)) : decoded;
  return languageHead(context, { rows, embedding, name: "lm_head", scaled: isScaled });
}

/** Checks whether the model is only an encoder. */
function isEncoder({ config, has }: FamilyContext): boolean {
  if (has !== undefined) return !has("decoder.final_layer_norm.weight");
  return config.texts("architectures").some((name) => name.endsWith("EncoderModel"));
}

function readStack(
  context: FamilyContext,
  ids: Value,
  { name, blocks }: Pick<Stack, "name" | "blocks">,
): Stack {
  const { network, config, length } = context;
  const heads = config.count("num_heads");
  const form = config.text("feed_forward_proj");
  const [, gate, activation] = /^(gated-)?(.*)$/s.exec(form) ?? [];
  const isDecoder = name === "decoder";
  const distances = biasByDistance(context, ids, { name, heads, isDecoder });
  const mask = network.graph.numbers(causalMask(length), "f32", [length, length]);
  return {
    name,
    blocks,
    length,
    width: config.count("d_model"),
    heads,
    inner: config.count("d_kv"),
    hidden: config.count("d_ff"),
    epsilon: config.share("layer_norm_epsilon"),
    gated: gate !== undefined,
    activation: modelActivation(
      config.with({ feed_forward_proj: form === "gated-gelu" ? "gelu_new" : activation }),
      "feed_forward_proj",
    ),
    bias: isDecoder ? add(distances, mask) : distances,
  };
}

/**
 * Returns the biases of scores, `[N, heads, length, length]`, by the distance of tokens.
 *
 * The indices of the read rows are computed from the ids rather than being constants: else rows for distances
 * that do not occur in texts of one length would seem free to be permuted.
 */
function biasByDistance(
  { network, config, length }: FamilyContext,
  ids: Value,
  { name, heads, isDecoder }: { readonly name: string; readonly heads: number; readonly isDecoder: boolean },
): Value {
  const count = config.count("relative_attention_num_buckets");
  const buckets = distanceBuckets(length, {
    count,
    furthest: config.count("relative_attention_max_distance"),
    looksAhead: !isDecoder,
  });
  const prefix = `${name}.block.0.layer.0.SelfAttention`;
  const table = network.weight(`${prefix}.relative_attention_bias.weight`, [count, heads], normal(0.02));
  const rows = ids.builder.numbers(buckets, "i64", [length, length]);
  const zeros = reshape(sub(ids, ids), [-1, length, 1]);
  return transpose(gather(table, add(zeros, rows)), [0, 3, 1, 2]);
}

function addStack(context: FamilyContext, x: Value, stack: Stack, encoded?: Value): Value {
  const { network } = context;
  const { name, blocks, epsilon } = stack;
  let rows = x;
  for (let i = 0; i < blocks; i++) rows = addBlock(context, rows, `${name}.block.${i}`, { stack, encoded });
  return rootMeanSquareNorm(network, rows, `${name}.final_layer_norm`, { epsilon });
}

function addBlock(
  context: FamilyContext,
  x: Value,
  name: string,
  { stack, encoded }: { readonly stack: Stack; readonly encoded: Value | undefined },
): Value {
  const { network } = context;
  const { epsilon, bias } = stack;
  const normalize = (rows: Value, layer: number) =>
    rootMeanSquareNorm(network, rows, `${name}.layer.${layer}.layer_norm`, { epsilon });
  const within = normalize(x, 0);
  let rows = add(x, attend(context, within, within, { name: `${name}.layer.0.SelfAttention`, stack, bias }));
  if (encoded !== undefined) {
    const across = { name: `${name}.layer.1.EncDecAttention`, stack };
    rows = add(rows, attend(context, normalize(rows, 1), encoded, across));
  }
  const last = encoded === undefined ? 1 : 2;
  return add(
    rows,
    feedForward(context, normalize(rows, last), `${name}.layer.${last}.DenseReluDense`, stack),
  );
}

/** Names of the layers of an attention. */
const LAYERS = { query: "q", key: "k", value: "v" } as const;

/** Attends from rows to rows of the stack itself or of the encoder, with unscaled scores. */
function attend(
  { network }: FamilyContext,
  rows: Value,
  seen: Value,
  { name, stack, bias }: { readonly name: string; readonly stack: Stack; readonly bias?: Value },
): Value {
  const { length, heads, inner, width } = stack;
  const project = (x: Value, layer: string, out: number) =>
    linear(network, x, `${name}.${layer}`, { out, initializer: START, bias: false });
  const mixed = multiHeadAttention(
    (part) => project(part === "query" ? rows : seen, LAYERS[part], heads * inner),
    { length, heads, scale: 1, ...(bias === undefined ? {} : { mask: bias }) },
  );
  return project(mixed, "o", width);
}

function feedForward({ network }: FamilyContext, rows: Value, name: string, stack: Stack): Value {
  const { hidden, width, gated, activation } = stack;
  const project = (x: Value, layer: string, out: number) =>
    linear(network, x, `${name}.${layer}`, { out, initializer: START, bias: false });
  const units = gated
    ? mul(activation(project(rows, "wi_0", hidden)), project(rows, "wi_1", hidden))
    : activation(project(rows, "wi", hidden));
  return project(units, "wo", width);
}

function narrow(config: ModelConfig): Readonly<Record<string, number>> {
  const heads = Math.min(config.count("num_heads"), 2);
  const width = Math.min(config.count("d_model"), heads * config.count("d_kv"));
  const blocks = config.blocks("num_layers");
  const decoderBlocks = config.has("num_decoder_layers") ? config.blocks("num_decoder_layers") : blocks;
  return {
    d_model: width,
    num_heads: heads,
    num_layers: Math.min(blocks, 2),
    num_decoder_layers: Math.min(decoderBlocks, 2),
    d_ff: Math.min(config.count("d_ff"), 2 * width),
    vocab_size: Math.min(config.count("vocab_size"), 64),
  };
}
