import { at } from "@isthmus/core";
import { add, gather, gemm, layerNorm, reshape, slice, tanh, type Value } from "@isthmus/graph/builder";
import { constant, normal, normalWeight } from "../../initializer.ts";
import { feedForward } from "../../layers/feed-forward.ts";
import { linear } from "../../layers/linear.ts";
import { multiHeadAttention } from "../../layers/multi-head-attention.ts";
import { placeIndices } from "../../layers/place-indices.ts";
import { classCount } from "../class-count.ts";
import { modelActivation } from "../model-activation.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { narrowHeads } from "../narrow-heads.ts";

/** BERT, an encoder with norms after the sums. @see Devlin et al., BERT, 2019, section 3 */
export const BERT: ModelFamily = {
  build,
  narrow: narrowHeads,
  // The bias of the language head has two names for the same
  // tensor: one of them is fed. No symmetry permutes words.
  idle: /(position_ids|token_type_ids|cls\.predictions\.decoder\.bias)$/,
};

const START = normalWeight(0.02);

/** Prefix of names, width and epsilon that all parts of an encoder share. */
interface Encoder {
  readonly prefix: string;
  readonly width: number;
  readonly epsilon: number;
}

function build(context: FamilyContext): FamilyOutputs {
  const { config, has, length } = context;
  config.quotient("hidden_size", "num_attention_heads");
  config.require("position_embedding_type", "absolute");
  config.require("is_decoder", false);
  config.require("add_cross_attention", false);
  const encoder: Encoder = {
    prefix: has?.("embeddings.word_embeddings.weight") ? "" : "bert.",
    width: config.count("hidden_size"),
    epsilon: config.number("layer_norm_eps", 1e-12),
  };
  const { words, tokens } = embed(context, encoder);
  let x = tokens;
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++) {
    x = addBlock(context, x, `${encoder.prefix}encoder.layer.${i}`, encoder);
  }
  const outputs: FamilyOutputs = {
    ...tokenHeads(context, x),
    ...languageHead(context, x, { words, encoder }),
    ...pooledHeads(context, x, encoder),
  };
  const isBase = !("logits" in outputs || "next" in outputs);
  return isBase ? { hidden: reshape(x, [-1, length, encoder.width]), ...outputs } : outputs;
}

/**
 * Adds the embeddings of words, places and sentence types, and normalises their sum: rows
 * `[N * length, width]`.
 */
function embed(
  context: FamilyContext,
  { prefix, width, epsilon }: Encoder,
): { readonly words: Value; readonly tokens: Value } {
  const { network, config, length } = context;
  const ids = network.input("ids", [length], "i64");
  const typeIds = network.input("token_type_ids", [length], "i64");
  const table = (name: string, rows: number) =>
    network.weight(`${prefix}embeddings.${name}.weight`, [rows, width], normal(0.02));
  const words = table("word_embeddings", config.count("vocab_size"));
  const places = table("position_embeddings", config.count("max_position_embeddings", 512));
  const types = table("token_type_embeddings", config.count("type_vocab_size", 2));
  const sum = add(
    add(gather(words, ids), gather(types, typeIds)),
    gather(places, placeIndices(ids, at(places.shape, 0, "axis"))),
  );
  const rows = reshape(sum, [-1, width]);
  return { words, tokens: norm(context, rows, `${prefix}embeddings.LayerNorm`, epsilon) };
}

/** Applies a layer norm, whose weights are named gamma and beta in checkpoints converted from TensorFlow. */
function norm({ network, has }: FamilyContext, x: Value, name: string, epsilon: number): Value {
  const [scale, shift] = has?.(`${name}.gamma`) ? ["gamma", "beta"] : ["weight", "bias"];
  const shape = [at(x.shape, x.shape.length - 1, "axis")];
  const affine = {
    scale: network.weight(`${name}.${scale}`, shape, constant(1)),
    bias: network.weight(`${name}.${shift}`, shape, constant(0)),
  };
  return layerNorm(x, affine, { epsilon });
}

function addBlock(context: FamilyContext, x: Value, name: string, { width, epsilon }: Encoder): Value {
  const { network, config, length } = context;
  const layer = { out: width, initializer: START };
  const mixed = multiHeadAttention((part) => linear(network, x, `${name}.attention.self.${part}`, layer), {
    length,
    heads: config.count("num_attention_heads"),
  });
  const attended = linear(network, mixed, `${name}.attention.output.dense`, layer);
  const middle = norm(context, add(x, attended), `${name}.attention.output.LayerNorm`, epsilon);
  const result = feedForward(network, middle, {
    up: `${name}.intermediate.dense`,
    down: `${name}.output.dense`,
    hidden: config.count("intermediate_size"),
    activation: modelActivation(config, "hidden_act", "gelu"),
    initializer: START,
  });
  return norm(context, add(middle, result), `${name}.output.LayerNorm`, epsilon);
}

/**
 * Adds the head that predicts a word at every place, `[N, length, vocabulary]`, if the checkpoint has one or
 * is not known; returns no outputs otherwise.
 */
function languageHead(
  context: FamilyContext,
  x: Value,
  { words, encoder }: { readonly words: Value; readonly encoder: Encoder },
): FamilyOutputs {
  const { network, config, has, length } = context;
  const name = "cls.predictions";
  if (has !== undefined && !has(`${name}.transform.dense.weight`)) return {};
  const transform = { out: encoder.width, initializer: START };
  const activation = modelActivation(config, "hidden_act", "gelu");
  const rows = norm(
    context,
    activation(linear(network, x, `${name}.transform.dense`, transform)),
    `${name}.transform.LayerNorm`,
    encoder.epsilon,
  );
  const isSeparate = has?.(`${name}.decoder.weight`) === true;
  const weight = isSeparate ? network.weight(`${name}.decoder.weight`, words.shape, normal(0.02)) : words;
  const biasName = has?.(`${name}.bias`) === false ? `${name}.decoder.bias` : `${name}.bias`;
  const vocabulary = at(words.shape, 0, "axis");
  const bias = network.weight(biasName, [vocabulary], constant(0));
  return { logits: reshape(gemm(rows, weight, { transB: true, bias }), [-1, length, vocabulary]) };
}

/**
 * Adds the head that reads every token, if there is one: classes of tokens, or where answers begin and end.
 */
function tokenHeads(context: FamilyContext, x: Value): FamilyOutputs {
  const { network, config, has, length } = context;
  const classify = (name: string, out: number) =>
    reshape(linear(network, x, name, { out, initializer: START }), [-1, length, out]);
  if (has?.("qa_outputs.weight")) return { logits: classify("qa_outputs", 2) };
  if (!classifiesTokens(context)) return {};
  return { logits: classify("classifier", classCount(config)) };
}

/**
 * Checks whether the classifier reads every token and not the pooled first one; some checkpoints of such a
 * classifier still hold the pooler of the network they were made from.
 */
function classifiesTokens({ config, has }: FamilyContext): boolean {
  if (!has?.("classifier.weight")) return false;
  return (
    !has(`${POOLER}.weight`) || config.texts("architectures").some((name) => TOKEN_CLASSIFIER.test(name))
  );
}

const TOKEN_CLASSIFIER = /ForTokenClassification$/;

/** Name of the pooler's layer in checkpoints with a head; in others it has no prefix. */
const POOLER = "bert.pooler.dense";

/**
 * Adds the heads that read the first token, if there is a pooler: classes of texts, whether the second
 * sentence follows the first, or the pooled token itself.
 */
function pooledHeads(context: FamilyContext, x: Value, { width }: Encoder): FamilyOutputs {
  const { network, config, has, length } = context;
  const pooler = [POOLER, "pooler.dense"].find((name) => has?.(`${name}.weight`));
  if (pooler === undefined) return {};
  const first = slice(reshape(x, [-1, length, width]), [{ axis: 1, begin: 0, end: 1 }]);
  const row = tanh(linear(network, reshape(first, [-1, width]), pooler, { out: width, initializer: START }));
  const classify = (name: string, out: number) => linear(network, row, name, { out, initializer: START });
  if (has?.("cls.seq_relationship.weight")) return { next: classify("cls.seq_relationship", 2) };
  if (!has?.("classifier.weight") || classifiesTokens(context)) return { pooled: row };
  return { logits: classify("classifier", classCount(config)) };
}
