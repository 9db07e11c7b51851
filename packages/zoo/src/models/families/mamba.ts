import { add } from "@isthmus/graph/builder";
import { rootMeanSquareNorm } from "../../layers/row-norm.ts";
import { type SelectiveScan, selectiveScan } from "../../layers/selective-scan.ts";
import { embedTokens } from "../embed-tokens.ts";
import { languageHead } from "../language-head.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";

/** Mamba, of version 1: recurrences in place of attention. @see Gu and Dao, Mamba, 2023, section 3 */
export const MAMBA: ModelFamily = { build, narrow, idle: /^$/ };

function build(context: FamilyContext): FamilyOutputs {
  const { network, config, length } = context;
  const { prefix, embedding, embed } = embedTokens(context, "embeddings", ["backbone."]);
  const norm = { epsilon: config.share("layer_norm_epsilon", 1e-5) };
  const layer: SelectiveScan = {
    length,
    channels: Math.floor(config.positive("expand", 2) * config.count("hidden_size")),
    states: config.count("state_size", 16),
    rank: rankOf(config),
    kernel: config.blocks("conv_kernel", 4),
    activation: modelActivation(config, "hidden_act", "silu"),
    biases: {
      projections: config.boolean("use_bias", false),
      convolution: config.boolean("use_conv_bias", true),
    },
  };
  let x = embed();
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++) {
    const name = `${prefix}layers.${i}`;
    const rows = rootMeanSquareNorm(network, x, `${name}.norm`, norm);
    x = add(x, selectiveScan(network, rows, `${name}.mixer`, layer));
  }
  const rows = rootMeanSquareNorm(network, x, `${prefix}norm_f`, norm);
  return languageHead(context, { rows, embedding, name: "lm_head", tied: true });
}

/** Reads the length of the rows from which steps come: a number, or `auto` for a 16th of the width. */
function rankOf(config: ModelConfig): number {
  const isAuto = (config.value("time_step_rank") ?? "auto") === "auto";
  return isAuto ? Math.ceil(config.count("hidden_size") / 16) : config.count("time_step_rank");
}

function narrow(config: ModelConfig): Readonly<Record<string, number>> {
  return {
    hidden_size: Math.min(config.count("hidden_size"), 24),
    time_step_rank: Math.min(rankOf(config), 2),
    state_size: Math.min(config.count("state_size", 16), 4),
    num_hidden_layers: Math.min(config.blocks("num_hidden_layers"), 2),
    vocab_size: Math.min(config.count("vocab_size"), 64),
  };
}
