import { add, type Value } from "@isthmus/graph/builder";
import { causalMask } from "../../layers/attention.ts";
import { type DecayingAttention, decayingAttention } from "../../layers/decaying-attention.ts";
import { rootMeanSquareNorm } from "../../layers/row-norm.ts";
import { selectiveScan } from "../../layers/selective-scan.ts";
import { embedTokens } from "../embed-tokens.ts";
import { languageHead } from "../language-head.ts";
import { modelActivation } from "../model-activation.ts";
import { MAX_EXTENT, type ModelConfig } from "../model-config.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";

/** Mamba, of version 1: recurrences in place of attention. @see Gu and Dao, Mamba, 2023, section 3 */
export const MAMBA: ModelFamily = mamba(scanned, (config) => ({
  time_step_rank: Math.min(rankOf(config), 2),
  state_size: Math.min(config.count("state_size"), 4),
}));

/** Mamba 2: heads whose recurrences decay alike. @see Dao and Gu, Transformers are SSMs, 2024, section 7 */
export const MAMBA2: ModelFamily = mamba(attended, (config) => {
  const { heads, groups, inner, states } = readHeads(config);
  const few = Math.min(groups, 2);
  return {
    num_heads: (heads / groups) * few,
    n_groups: few,
    hidden_size: Math.ceil(((heads / groups) * few * inner) / expansionOf(config)),
    state_size: Math.min(states, 4),
  };
});

/** Adds the layer of a block to normalised rows, given its name. */
type Layer = (rows: Value, name: string) => Value;

/**
 * Creates a family of blocks with one layer each.
 * @param layerOf - returns the builder of the layers
 * @param narrow - returns fields for a config of the same structure with few units, besides the usual ones
 */
function mamba(
  layerOf: (context: FamilyContext) => Layer,
  narrow: (config: ModelConfig) => Readonly<Record<string, number>>,
): ModelFamily {
  return {
    build: (context) => {
      const { network, config } = context;
      const { prefix, embedding, embed } = embedTokens(context, "embeddings", ["backbone."]);
      const norm = { epsilon: config.share("layer_norm_epsilon") };
      const layer = layerOf(context);
      let x = embed();
      for (let i = 0; i < config.blocks("num_hidden_layers"); i++) {
        const name = `${prefix}layers.${i}`;
        const rows = rootMeanSquareNorm(network, x, `${name}.norm`, norm);
        x = add(x, layer(rows, `${name}.mixer`));
      }
      const rows = rootMeanSquareNorm(network, x, `${prefix}norm_f`, norm);
      return languageHead(context, { rows, embedding, name: "lm_head" });
    },
    narrow: (config) => ({
      hidden_size: Math.min(config.count("hidden_size"), 24),
      num_hidden_layers: Math.min(config.blocks("num_hidden_layers"), 2),
      vocab_size: Math.min(config.count("vocab_size"), 64),
      ...narrow(config),
    }),
    idle: /^$/,
  };
}

/** Reads the properties that layers of both versions share. */
function readLayer({ config, length }: FamilyContext) {
  return {
    length,
    kernel: config.blocks("conv_kernel"),
    activation: modelActivation(config, "hidden_act"),
    biases: {
      projections: config.boolean("use_bias"),
      convolution: config.boolean("use_conv_bias"),
    },
  };
}

function scanned(context: FamilyContext): Layer {
  const { network, config } = context;
  const layer = {
    ...readLayer(context),
    channels: unitsOf(config),
    states: config.count("state_size"),
    rank: rankOf(config),
  };
  return (rows, name) => selectiveScan(network, rows, name, layer);
}

function attended(context: FamilyContext): Layer {
  const { network, config, length } = context;
  const layer = {
    ...readLayer(context),
    ...readHeads(config),
    limits: limitsOf(config),
    epsilon: config.share("layer_norm_epsilon"),
    mask: network.graph.numbers(causalMask(length), "f32", [length, length]),
  };
  return (rows, name) => decayingAttention(network, rows, name, layer);
}

/**
 * Reads heads of Mamba 2.
 * @throws FormatError if groups do not divide heads, or the channels of all heads are not the units
 */
function readHeads(config: ModelConfig): Pick<DecayingAttention, "heads" | "inner" | "groups" | "states"> {
  const [heads, inner] = [config.count("num_heads"), config.count("head_dim")];
  const groups = config.count("n_groups");
  config.assertDivides(["num_heads", heads], ["n_groups", groups]);
  const units = unitsOf(config);
  if (units !== heads * inner) throw config.misfit("num_heads", `${units} units over "head_dim" ${inner}`);
  return { heads, inner, groups, states: config.count("state_size") };
}

/** Reads how many times as wide as the stream the units of a layer are. */
function expansionOf(config: ModelConfig): number {
  return config.positive("expand");
}

/** Returns the number of units of a layer, which is no larger than any other extent. */
function unitsOf(config: ModelConfig): number {
  const units = Math.floor(expansionOf(config) * config.count("hidden_size"));
  if (units >= 1 && units <= MAX_EXTENT) return units;
  throw config.misfit("expand", `a factor that makes 1 to ${MAX_EXTENT} units of "hidden_size"`);
}

/** Reads the least and the largest step; infinity is a number, or an object as newer configs have it. */
function limitsOf(config: ModelConfig): readonly [number, number] {
  const limits = config.value("time_step_limit") ?? [0, Number.POSITIVE_INFINITY];
  const numbers = (Array.isArray(limits) ? limits : []).map((limit: unknown) =>
    isInfinity(limit) ? Number.POSITIVE_INFINITY : limit,
  );
  const [least, most] = numbers;
  if (numbers.length === 2 && typeof least === "number" && typeof most === "number" && least <= most)
    return [least, most];
  throw config.misfit("time_step_limit", "a list of two numbers, the smaller first");
}

/** Checks whether a value is infinity in the form of newer configs. */
function isInfinity(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && "__float__" in value && value.__float__ === "Infinity"
  );
}

/** Reads the length of the rows from which steps come: a number, or `auto` for a 16th of the width. */
function rankOf(config: ModelConfig): number {
  const isAuto = (config.value("time_step_rank") ?? "auto") === "auto";
  return isAuto ? Math.ceil(config.count("hidden_size") / 16) : config.count("time_step_rank");
}
