import { gelu, reshape, tanh, type Value } from "@isthmus/graph/builder";
import { placesBehindPadding } from "../../layers/place-indices.ts";
import { classCount } from "../class-count.ts";
import { classifiesTokens, encoderLayer, firstTokens, tokenHeads, wordHead } from "../encoder-heads.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { narrowHeads } from "../narrow-heads.ts";
import { tokenEncoder } from "../token-encoder.ts";
import { bertNames, readBert } from "./bert.ts";

/**
 * RoBERTa and XLM-RoBERTa: BERT with other heads, whose places are numbered from behind the padding token.
 * @see Liu et al., RoBERTa, 2019, section 2
 */
export const ROBERTA: ModelFamily = {
  build,
  narrow: narrowHeads,
  seesAll: true,
  predicts: () => ({ kind: "masked" }),
  maxLength: (config) => config.count("max_position_embeddings") - paddingOf(config) - 1,
  idle: /(position_ids|token_type_ids|lm_head\.decoder\.bias)$/,
};

const POOLER = "roberta.pooler.dense";

/** Returns the id of the token that pads texts. */
function paddingOf(config: ModelConfig): number {
  return config.index("pad_token_id");
}

function build(context: FamilyContext): FamilyOutputs {
  const { config, has, length } = context;
  const encoder = readBert(config);
  const padding = paddingOf(config);
  const { width, epsilon } = encoder;
  const { words, rows } = tokenEncoder(context, {
    ...encoder,
    names: bertNames(has?.("embeddings.word_embeddings.weight") ? "" : "roberta."),
    placesOf: (ids) => placesBehindPadding(ids, encoder.positions, padding),
  });
  const outputs: FamilyOutputs = {
    ...tokenHeads(context, rows, classifiesTokens(context, POOLER)),
    ...wordHead(context, rows, {
      transform: "lm_head.dense",
      norm: "lm_head.layer_norm",
      decoder: "lm_head.decoder",
      biases: ["lm_head.bias", "lm_head.decoder.bias"],
      words,
      epsilon,
      activation: (x) => gelu(x),
    }),
    ...textHeads(context, rows, width),
  };
  return "logits" in outputs ? outputs : { hidden: reshape(rows, [-1, length, width]), ...outputs };
}

/** Adds the heads that read the first token: classes of texts, or the pooled token itself. */
function textHeads(context: FamilyContext, x: Value, width: number): FamilyOutputs {
  const { config, has } = context;
  const layer = ["classifier.dense", POOLER, "pooler.dense"].find((name) => has?.(`${name}.weight`));
  if (layer === undefined) return {};
  const row = tanh(encoderLayer(context, firstTokens(context, x), layer, width));
  if (layer === "classifier.dense") {
    return { logits: encoderLayer(context, row, "classifier.out_proj", classCount(config)) };
  }
  if (!has?.("classifier.weight") || classifiesTokens(context, POOLER)) return { pooled: row };
  return { logits: encoderLayer(context, row, "classifier", classCount(config)) };
}
