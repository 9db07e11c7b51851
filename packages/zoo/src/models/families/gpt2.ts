import { at } from "@isthmus/core";
import { add, gather, reshape } from "@isthmus/graph/builder";
import { normal, normalWeight } from "../../initializer.ts";
import { causalMask } from "../../layers/attention.ts";
import { type GptBlock, gptBlock } from "../../layers/gpt-block.ts";
import { placeIndices } from "../../layers/place-indices.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import { languageHead } from "../language-head.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";

/** GPT-2. @see Radford et al., Language models are unsupervised multitask learners, 2019, section 2.3 */
export const GPT2: ModelFamily = { build, narrow, idle: /\.attn\.(bias|masked_bias)$/ };

function build(context: FamilyContext): FamilyOutputs {
  const { network, config, length, has } = context;
  config.quotient("n_embd", "n_head");
  const width = config.count("n_embd");
  const prefix = has?.("wte.weight") ? "" : "transformer.";
  const ids = network.input("ids", [length], "i64");
  const embedding = network.weight(`${prefix}wte.weight`, [config.count("vocab_size"), width], normal(0.02));
  const positions = network.weight(`${prefix}wpe.weight`, [config.count("n_positions"), width], normal(0.02));
  const block: GptBlock = {
    length,
    heads: config.count("n_head"),
    hidden: config.count("n_inner", 4 * width),
    epsilon: config.share("layer_norm_epsilon"),
    activation: modelActivation(config, "activation_function"),
    mask: network.graph.numbers(causalMask(length), "f32", [length, length]),
    streamInitializer: normalWeight(0.02),
    dropout: 0,
  };
  let x = reshape(
    add(gather(embedding, ids), gather(positions, placeIndices(ids, at(positions.shape, 0, "axis")))),
    [-1, width],
  );
  for (let i = 0; i < config.blocks("n_layer"); i++) x = gptBlock(network, x, `${prefix}h.${i}`, block);
  const rows = rowNorm(network, x, `${prefix}ln_f`, block.epsilon);
  return languageHead(context, { rows, embedding, name: "lm_head" });
}

function narrow(config: ModelConfig): Readonly<Record<string, number>> {
  const heads = config.count("n_head");
  const inner = config.quotient("n_embd", "n_head");
  const width = Math.min(heads, 2) * inner;
  return {
    n_embd: width,
    n_head: Math.min(heads, 2),
    n_layer: Math.min(config.blocks("n_layer"), 2),
    n_inner: Math.min(config.count("n_inner", 4 * config.count("n_embd")), 2 * width),
    vocab_size: Math.min(config.count("vocab_size"), 64),
  };
}
