import { relu, reshape } from "@isthmus/graph/builder";
import { placeIndices } from "../../layers/place-indices.ts";
import { classCount } from "../class-count.ts";
import { classifiesTokens, encoderLayer, firstTokens, tokenHeads, wordHead } from "../encoder-heads.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { type EncoderNames, type TokenEncoder, tokenEncoder } from "../token-encoder.ts";

/**
 * DistilBERT: BERT of half the blocks, without sentence types. @see Sanh et al., DistilBERT, 2019, section 3
 */
export const DISTILBERT: ModelFamily = {
  build,
  narrow,
  seesAll: true,
  predicts: () => ({ kind: "masked" }),
  idle: /position_ids$/,
};

/** Epsilon of the norms, which configs do not contain. */
const EPSILON = 1e-12;

/** Name of the layer before the classifier of texts. */
const BEFORE_CLASSIFIER = "pre_classifier";

function namesBehind(prefix: string): EncoderNames {
  const embeddings = `${prefix}embeddings`;
  return {
    words: `${embeddings}.word_embeddings`,
    positions: `${embeddings}.position_embeddings`,
    norm: `${embeddings}.LayerNorm`,
    block: (index) => {
      const name = `${prefix}transformer.layer.${index}`;
      const inside = `${name}.attention`;
      return {
        heads: { query: `${inside}.q_lin`, key: `${inside}.k_lin`, value: `${inside}.v_lin` },
        output: `${inside}.out_lin`,
        attentionNorm: `${name}.sa_layer_norm`,
        up: `${name}.ffn.lin1`,
        down: `${name}.ffn.lin2`,
        outputNorm: `${name}.output_layer_norm`,
      };
    },
  };
}

function readEncoder(config: ModelConfig): Omit<TokenEncoder, "names" | "placesOf"> {
  config.quotient("dim", "n_heads");
  const width = config.count("dim");
  return {
    vocabulary: config.count("vocab_size"),
    positions: config.count("max_position_embeddings"),
    width,
    depth: config.blocks("n_layers"),
    heads: config.count("n_heads"),
    hidden: config.count("hidden_dim"),
    epsilon: EPSILON,
    activation: modelActivation(config, "activation"),
  };
}

function build(context: FamilyContext): FamilyOutputs {
  const { config, has, length } = context;
  const encoder = readEncoder(config);
  const { width, activation } = encoder;
  const { words, rows } = tokenEncoder(context, {
    ...encoder,
    names: namesBehind(has?.("embeddings.word_embeddings.weight") ? "" : "distilbert."),
    placesOf: (ids) => placeIndices(ids, encoder.positions),
  });
  if (has?.(`${BEFORE_CLASSIFIER}.weight`)) {
    const row = relu(encoderLayer(context, firstTokens(context, rows), BEFORE_CLASSIFIER, width));
    return { logits: encoderLayer(context, row, "classifier", classCount(config)) };
  }
  const outputs: FamilyOutputs = {
    ...tokenHeads(context, rows, classifiesTokens(context, BEFORE_CLASSIFIER)),
    ...wordHead(context, rows, {
      transform: "vocab_transform",
      norm: "vocab_layer_norm",
      decoder: "vocab_projector",
      biases: ["vocab_projector.bias"],
      words,
      epsilon: EPSILON,
      activation,
    }),
  };
  return "logits" in outputs ? outputs : { hidden: reshape(rows, [-1, length, width]) };
}

function narrow(config: ModelConfig): Readonly<Record<string, number>> {
  const heads = config.count("n_heads");
  const width = config.quotient("dim", "n_heads") * Math.min(heads, 2);
  return {
    dim: width,
    n_heads: Math.min(heads, 2),
    n_layers: Math.min(config.blocks("n_layers"), 2),
    hidden_dim: Math.min(config.count("hidden_dim"), 2 * width),
    vocab_size: Math.min(config.count("vocab_size"), 64),
  };
}
