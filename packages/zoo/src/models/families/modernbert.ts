import { at } from "@isthmus/core";
import { add, gather, gemm, mul, reduceMean, reshape, split, type Value } from "@isthmus/graph/builder";
import { constant, normal } from "../../initializer.ts";
import { nearMask } from "../../layers/attention.ts";
import { groupedAttention } from "../../layers/grouped-attention.ts";
import { linear } from "../../layers/linear.ts";
import { fusedProjection } from "../../layers/multi-head-attention.ts";
import { type RotaryTables, rotate } from "../../layers/rotary.ts";
import { normalizeRows, type RowNormOptions } from "../../layers/row-norm.ts";
import { classCount } from "../class-count.ts";
import { encoderLayer, firstTokens } from "../encoder-heads.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { modelRotary } from "../model-rotary.ts";
import { narrowHeads } from "../narrow-heads.ts";
import { ENCODER_START } from "../token-encoder.ts";

/**
 * ModernBERT, an encoder of texts with rotary positions and gated units, most of whose layers see only tokens
 * nearby. @see Warner et al., Smarter, better, faster, longer: a modern bidirectional encoder, 2024,
 * section 2.1
 */
export const MODERNBERT: ModelFamily = {
  build,
  narrow: (config) => ({
    ...narrowHeads(config),
    // A global layer and a local one.
    ...(config.has("layer_types") && { layer_types: ["full_attention", "sliding_attention"] }),
    global_attn_every_n_layers: 2,
  }),
  seesAll: true,
  predicts: () => ({ kind: "masked" }),
  idle: /^$/,
};

/** Properties that all blocks share. */
interface Block {
  readonly length: number;
  readonly heads: number;
  readonly hidden: number;
  readonly norm: RowNormOptions;
  readonly activation: (x: Value) => Value;
  /** Whether the layers of attention, and the layers of gated units, have biases. */
  readonly biases: { readonly attention: boolean; readonly hidden: boolean };
}

/** Positions of a layer, and the tokens that it sees. */
interface Sight {
  readonly rotary: RotaryTables;
  /** Summand of the scores; undefined if all tokens are seen. */
  readonly mask: Value | undefined;
}

function build(context: FamilyContext): FamilyOutputs {
  const { network, config, has, length } = context;
  const width = config.count("hidden_size");
  const prefix = has?.("embeddings.tok_embeddings.weight") ? "" : "model.";
  const ids = network.input("ids", [length], "i64");
  const vocabulary = config.count("vocab_size");
  const table = `${prefix}embeddings.tok_embeddings.weight`;
  const words = network.weight(table, [vocabulary, width], normal(0.02));
  const block = readBlock(context);
  const sightOf = readSights(context);
  const embedded = reshape(gather(words, ids), [-1, width]);
  let x = normalizeRows(network, embedded, `${prefix}embeddings.norm`, block.norm);
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++)
    x = addBlock(context, x, `${prefix}layers.${i}`, { block, sight: sightOf(i), isFirst: i === 0 });
  const rows = normalizeRows(network, x, `${prefix}final_norm`, block.norm);
  return addHead(context, rows, { words, norm: block.norm });
}

function readBlock({ config, length }: FamilyContext): Block {
  return {
    length,
    heads: config.count("num_attention_heads"),
    hidden: config.count("intermediate_size"),
    norm: normOf(config),
    activation: modelActivation(config, "hidden_activation"),
    biases: { attention: config.boolean("attention_bias"), hidden: config.boolean("mlp_bias") },
  };
}

function normOf(config: ModelConfig): RowNormOptions {
  return {
    kind: config.boolean("norm_bias") ? "layer" : "unbiased",
    epsilon: config.share("norm_eps"),
  };
}

/** Reads the positions of global and local layers, and which layer is which. */
function readSights(context: FamilyContext): (layer: number) => Sight {
  const { network, config, length } = context;
  const inner = config.quotient("hidden_size", "num_attention_heads");
  const distance = Math.floor(config.count("local_attention") / 2);
  const local = distance < length - 1 ? nearMask(length, distance) : undefined;
  const whole: Sight = {
    mask: undefined,
    rotary: modelRotary(context, {
      inner,
      base: "global_rope_theta",
      layers: "full_attention",
    }),
  };
  const near: Sight = {
    mask: local && network.graph.numbers(local, "f32", [length, length]),
    rotary: modelRotary(context, { inner, base: "local_rope_theta", layers: "sliding_attention" }),
  };
  const kinds = config.texts("layer_types");
  const every = config.count("global_attn_every_n_layers", 3);
  const isNear = (layer: number) =>
    kinds.length > 0 ? kinds[layer] === "sliding_attention" : layer % every !== 0;
  return (layer) => (isNear(layer) ? near : whole);
}

function addBlock(
  { network }: FamilyContext,
  x: Value,
  name: string,
  { block, sight, isFirst }: { readonly block: Block; readonly sight: Sight; readonly isFirst: boolean },
): Value {
  const { length, heads, hidden, norm, activation, biases } = block;
  const width = at(x.shape, 1, "axis");
  const project = (rows: Value, layer: string, out: number, bias: boolean) =>
    linear(network, rows, `${name}.${layer}`, { out, initializer: ENCODER_START, bias });
  // The embeddings are normalised already.
  const read = isFirst ? x : normalizeRows(network, x, `${name}.attn_norm`, norm);
  const part = fusedProjection(network, read, `${name}.attn.Wqkv`, {
    initializer: ENCODER_START,
    bias: biases.attention,
  });
  const tokens = (rows: Value) => reshape(rows, [-1, length, heads, width / heads]);
  const mixed = groupedAttention({
    queries: rotate(tokens(part("query")), sight.rotary),
    keys: rotate(tokens(part("key")), sight.rotary),
    values: tokens(part("value")),
    ...(sight.mask === undefined ? {} : { mask: sight.mask }),
  });
  const middle = add(x, project(mixed, "attn.Wo", width, biases.attention));
  const rows = normalizeRows(network, middle, `${name}.mlp_norm`, norm);
  const [units, gates] = split(project(rows, "mlp.Wi", 2 * hidden, biases.hidden), 1, [hidden, hidden]) as [
    Value,
    Value,
  ];
  return add(middle, project(mul(activation(units), gates), "mlp.Wo", width, biases.hidden));
}

/**
 * Adds the head that predicts words, or classes of texts or tokens, or answers, by the name of the model's
 * class in the config; all transform their rows first.
 */
function addHead(
  context: FamilyContext,
  rows: Value,
  { words, norm }: { readonly words: Value; readonly norm: RowNormOptions },
): FamilyOutputs {
  const { network, config, has, length } = context;
  const width = at(rows.shape, 1, "axis");
  const places = (values: Value, out: number) => reshape(values, [-1, length, out]);
  if (has !== undefined && !has("head.dense.weight")) return { hidden: places(rows, width) };
  const transform = (read: Value) => {
    const layer = { out: width, initializer: ENCODER_START, bias: config.boolean("classifier_bias") };
    const activate = modelActivation(config, "classifier_activation");
    return normalizeRows(network, activate(linear(network, read, "head.dense", layer)), "head.norm", norm);
  };
  if (!has?.("classifier.weight")) {
    const table = has?.("decoder.weight")
      ? network.weight("decoder.weight", words.shape, normal(0.02))
      : words;
    const vocabulary = at(words.shape, 0, "axis");
    const bias = config.boolean("decoder_bias")
      ? { bias: network.weight("decoder.bias", [vocabulary], constant(0)) }
      : {};
    return { logits: places(gemm(transform(rows), table, { transB: true, ...bias }), vocabulary) };
  }
  const classes = classCount(config);
  const readsTokens = config.texts("architectures").some((name) => TOKEN_CLASSES.test(name));
  const read = readsTokens ? rows : pool(context, rows);
  const logits = encoderLayer(context, transform(read), "classifier", classes);
  return { logits: readsTokens ? places(logits, classes) : logits };
}

/** Pattern of names of Hugging Face classes whose classifier reads every token. */
const TOKEN_CLASSES = /For(TokenClassification|QuestionAnswering)$/;

/** Returns the first token of each text, or the mean of all, `[N, width]`. */
function pool(context: FamilyContext, rows: Value): Value {
  if (context.config.text("classifier_pooling") === "cls") return firstTokens(context, rows);
  context.config.require("classifier_pooling", "mean");
  return reduceMean(reshape(rows, [-1, context.length, at(rows.shape, 1, "axis")]), { axes: [1] });
}
