import { reshape, tanh, type Value } from "@isthmus/graph/builder";
import { placeIndices } from "../../layers/place-indices.ts";
import { classCount } from "../class-count.ts";
import { classifiesTokens, encoderLayer, firstTokens, tokenHeads, wordHead } from "../encoder-heads.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { narrowHeads } from "../narrow-heads.ts";
import { type EncoderNames, type TokenEncoder, tokenEncoder } from "../token-encoder.ts";

/** BERT, an encoder with norms after the sums. @see Devlin et al., BERT, 2019, section 3 */
export const BERT: ModelFamily = {
  build,
  narrow: narrowHeads,
  seesAll: true,
  predicts: () => ({ kind: "masked" }),
  // The bias of the language head has two names for the same tensor, one of which is fed. No symmetry
  // permutes words.
  idle: /(position_ids|token_type_ids|cls\.predictions\.decoder\.bias)$/,
};

/** Returns the names of weights in checkpoints of the library transformers. */
export function bertNames(prefix: string): EncoderNames {
  const embeddings = `${prefix}embeddings`;
  return {
    words: `${embeddings}.word_embeddings`,
    positions: `${embeddings}.position_embeddings`,
    types: `${embeddings}.token_type_embeddings`,
    norm: `${embeddings}.LayerNorm`,
    block: (index) => {
      const name = `${prefix}encoder.layer.${index}`;
      const inside = `${name}.attention.self`;
      return {
        heads: { query: `${inside}.query`, key: `${inside}.key`, value: `${inside}.value` },
        output: `${name}.attention.output.dense`,
        attentionNorm: `${name}.attention.output.LayerNorm`,
        up: `${name}.intermediate.dense`,
        down: `${name}.output.dense`,
        outputNorm: `${name}.output.LayerNorm`,
      };
    },
  };
}

/** Reads the extents of an encoder, and refuses fields that would make it another network. */
export function readBert(config: ModelConfig): Omit<TokenEncoder, "names" | "placesOf"> {
  config.quotient("hidden_size", "num_attention_heads");
  config.require("position_embedding_type", "absolute");
  config.require("is_decoder", false);
  config.require("add_cross_attention", false);
  return {
    vocabulary: config.count("vocab_size"),
    positions: config.count("max_position_embeddings"),
    types: config.count("type_vocab_size"),
    width: config.count("hidden_size"),
    depth: config.blocks("num_hidden_layers"),
    heads: config.count("num_attention_heads"),
    hidden: config.count("intermediate_size"),
    epsilon: config.share("layer_norm_eps"),
    activation: modelActivation(config, "hidden_act"),
  };
}

/** Name of the pooler's layer in checkpoints with a head; in other checkpoints it has no prefix. */
const POOLER = "bert.pooler.dense";

function build(context: FamilyContext): FamilyOutputs {
  const { config, has, length } = context;
  const encoder = readBert(config);
  const { width, epsilon, activation } = encoder;
  const { words, rows } = tokenEncoder(context, {
    ...encoder,
    names: bertNames(has?.("embeddings.word_embeddings.weight") ? "" : "bert."),
    placesOf: (ids) => placeIndices(ids, encoder.positions),
  });
  const head = "cls.predictions";
  const outputs: FamilyOutputs = {
    ...tokenHeads(context, rows, classifiesTokens(context, POOLER)),
    ...wordHead(context, rows, {
      transform: `${head}.transform.dense`,
      norm: `${head}.transform.LayerNorm`,
      decoder: `${head}.decoder`,
      biases: [`${head}.bias`, `${head}.decoder.bias`],
      words,
      epsilon,
      activation,
    }),
    ...pooledHeads(context, rows, width),
  };
  const isBase = !("logits" in outputs || "next" in outputs);
  return isBase ? { hidden: reshape(rows, [-1, length, width]), ...outputs } : outputs;
}

/**
 * Adds the heads that read the first token, if there is a pooler: they compute classes of texts, whether the
 * second sentence follows the first, or the pooled token itself.
 */
function pooledHeads(context: FamilyContext, x: Value, width: number): FamilyOutputs {
  const { config, has } = context;
  const pooler = [POOLER, "pooler.dense"].find((name) => has?.(`${name}.weight`));
  if (pooler === undefined) return {};
  const row = tanh(encoderLayer(context, firstTokens(context, x), pooler, width));
  if (has?.("cls.seq_relationship.weight")) {
    return { next: encoderLayer(context, row, "cls.seq_relationship", 2) };
  }
  if (!has?.("classifier.weight") || classifiesTokens(context, POOLER)) return { pooled: row };
  return { logits: encoderLayer(context, row, "classifier", classCount(config)) };
}
