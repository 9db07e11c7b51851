import { at } from "@isthmus/core";
import { add, conv, gather, gelu, reshape, transpose, type Value } from "@isthmus/graph/builder";
import { normal, TORCH_DEFAULT } from "../../initializer.ts";
import { causalMask } from "../../layers/attention.ts";
import { placeIndices } from "../../layers/place-indices.ts";
import { addAttention, addFeedForward, type PreNormBlock } from "../../layers/pre-norm-block.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import { languageHead } from "../language-head.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";

/**
 * Whisper, an encoder of the spectrum of speech and a decoder that writes what was said. Features are the
 * input `input_features`, the decoder's tokens `decoder_input_ids`. @see Radford et al., Robust speech
 * recognition via large-scale weak supervision, 2022, section 2.2
 */
export const WHISPER: ModelFamily = {
  build,
  narrow,
  predicts: (config) => ({
    kind: "continued",
    start: config.index("decoder_start_token_id"),
    padding: config.index("pad_token_id"),
  }),
  maxLength: targets,
  idle: /^proj_out\.weight$/,
};

/** Epsilon of the norms, which configs do not contain. */
const EPSILON = 1e-5;

/** Factor by which the second convolution shortens the features. */
const STRIDE = 2;

function targets(config: ModelConfig): number {
  return config.count("max_target_positions");
}

function build(context: FamilyContext): FamilyOutputs {
  const { network, config, has, length } = context;
  const prefix = has?.("encoder.conv1.weight") ? "" : "model.";
  const width = config.count("d_model");
  const encoded = addEncoder(context, prefix);
  const ids = network.input("decoder_input_ids", [length], "i64");
  const embedding = network.weight(
    `${prefix}decoder.embed_tokens.weight`,
    [config.count("vocab_size"), width],
    normal(0.02),
  );
  const positions = network.weight(
    `${prefix}decoder.embed_positions.weight`,
    [targets(config), width],
    normal(0.02),
  );
  const places = gather(positions, placeIndices(ids, targets(config)));
  const mask = network.graph.numbers(causalMask(length), "f32", [length, length]);
  const block = { ...readBlock(config, "decoder", length), mask };
  let rows = reshape(add(gather(embedding, ids), places), [-1, width]);
  for (let i = 0; i < config.blocks("decoder_layers"); i++)
    rows = addBlock(context, rows, `${prefix}decoder.layers.${i}`, { block, encoded });
  rows = rowNorm(network, rows, `${prefix}decoder.layer_norm`, EPSILON);
  return languageHead(context, { rows, embedding, name: "proj_out" });
}

/** Rows of the encoder, and their number for an example. */
interface Encoded {
  readonly rows: Value;
  readonly length: number;
}

/** Adds the encoder: two convolutions along time, positions, blocks, and a norm. */
function addEncoder(context: FamilyContext, prefix: string): Encoded {
  const { network, config } = context;
  const width = config.count("d_model");
  const length = config.count("max_source_positions");
  const bins = config.count("num_mel_bins");
  const features = network.input("input_features", [bins, STRIDE * length]);
  const convolved = (x: Value, name: string, stride: number) => {
    const channels = at(x.shape, 1, "axis");
    const taps = 3;
    const start = TORCH_DEFAULT.weight(channels * taps, width * taps);
    const kernel = network.weight(`${name}.weight`, [width, channels, taps], start);
    const bias = network.weight(`${name}.bias`, [width], TORCH_DEFAULT.bias(channels * taps));
    return gelu(conv(x, kernel, { strides: [stride], pads: [1, 1], bias }));
  };
  const first = convolved(features, `${prefix}encoder.conv1`, 1);
  const x = transpose(convolved(first, `${prefix}encoder.conv2`, STRIDE), [0, 2, 1]);
  const table = network.weight(`${prefix}encoder.embed_positions.weight`, [length, width], normal(0.02));
  const block = readBlock(config, "encoder", length);
  let rows = reshape(add(x, table), [-1, width]);
  for (let i = 0; i < config.blocks("encoder_layers"); i++)
    rows = addBlock(context, rows, `${prefix}encoder.layers.${i}`, { block });
  return { rows: rowNorm(network, rows, `${prefix}encoder.layer_norm`, EPSILON), length };
}

function readBlock(config: ModelConfig, stack: "encoder" | "decoder", length: number): PreNormBlock {
  config.quotient("d_model", `${stack}_attention_heads`);
  return {
    length,
    heads: config.count(`${stack}_attention_heads`),
    hidden: config.count(`${stack}_ffn_dim`),
    epsilon: EPSILON,
    activation: modelActivation(config, "activation_function"),
    keyBias: false,
  };
}

function addBlock(
  { network }: FamilyContext,
  x: Value,
  name: string,
  { block, encoded }: { readonly block: PreNormBlock; readonly encoded?: Encoded },
): Value {
  const layers = (attention: string) => ({
    attentionNorm: `${name}.${attention}_layer_norm`,
    heads: {
      query: `${name}.${attention}.q_proj`,
      key: `${name}.${attention}.k_proj`,
      value: `${name}.${attention}.v_proj`,
    },
    output: `${name}.${attention}.out_proj`,
  });
  let rows = addAttention(network, x, layers("self_attn"), block);
  if (encoded !== undefined) {
    const { mask: _, ...across } = block;
    rows = addAttention(network, rows, layers("encoder_attn"), { ...across, seen: encoded });
  }
  const names = { feedForwardNorm: `${name}.final_layer_norm`, up: `${name}.fc1`, down: `${name}.fc2` };
  return addFeedForward(network, rows, names, block);
}

function narrow(config: ModelConfig): Readonly<Record<string, number>> {
  const [heads, others] = [config.count("encoder_attention_heads"), config.count("decoder_attention_heads")];
  const fewest = Math.min(heads, others, 2);
  const width = (config.count("d_model") / Math.max(heads, others)) * fewest;
  const few = (stack: "encoder" | "decoder") => ({
    [`${stack}_layers`]: Math.min(config.blocks(`${stack}_layers`), 2),
    [`${stack}_attention_heads`]: fewest,
    [`${stack}_ffn_dim`]: Math.min(config.count(`${stack}_ffn_dim`), 2 * width),
  });
  return {
    d_model: width,
    ...few("encoder"),
    ...few("decoder"),
    vocab_size: Math.min(config.count("vocab_size"), 64),
    max_source_positions: Math.min(config.count("max_source_positions"), 8),
  };
}
