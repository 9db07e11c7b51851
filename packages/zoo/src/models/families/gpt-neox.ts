import { at } from "@isthmus/core";
import { add, gather, reshape, split, type Value } from "@isthmus/graph/builder";
import { normal, normalWeight } from "../../initializer.ts";
import { causalMask } from "../../layers/attention.ts";
import { feedForward } from "../../layers/feed-forward.ts";
import { groupedAttention } from "../../layers/grouped-attention.ts";
import { linear } from "../../layers/linear.ts";
import { type RotaryTables, rotate } from "../../layers/rotary.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import { languageHead } from "../language-head.ts";
import { modelActivation } from "../model-activation.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { modelRotary } from "../model-rotary.ts";
import { narrowHeads } from "../narrow-heads.ts";

/** GPT-NeoX and Pythia. @see Black et al., GPT-NeoX-20B, 2022, section 2.1 */
export const GPT_NEOX: ModelFamily = {
  build,
  narrow: narrowHeads,
  idle: /\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/,
};

const START = normalWeight(0.02);

interface Block {
  readonly length: number;
  readonly heads: number;
  readonly hidden: number;
  readonly epsilon: number;
  readonly bias: boolean;
  /**
   * Whether the feed-forward network reads the input of the block, as the attention does, rather than the sum
   * after the attention.
   */
  readonly parallel: boolean;
  readonly activation: (x: Value) => Value;
  readonly rotary: RotaryTables;
  readonly mask: Value;
}

function build(context: FamilyContext): FamilyOutputs {
  const { network, config, length, has } = context;
  const width = config.count("hidden_size");
  const prefix = has?.("embed_in.weight") ? "" : "gpt_neox.";
  const ids = network.input("ids", [length], "i64");
  const vocabulary = config.count("vocab_size");
  const embedding = network.weight(`${prefix}embed_in.weight`, [vocabulary, width], normal(0.02));
  const heads = config.count("num_attention_heads");
  const block: Block = {
    length,
    heads,
    hidden: config.count("intermediate_size"),
    epsilon: config.share("layer_norm_eps", 1e-5),
    bias: config.boolean("attention_bias", true),
    parallel: config.boolean("use_parallel_residual", true),
    activation: modelActivation(config, "hidden_act", "gelu"),
    rotary: modelRotary(context, {
      inner: config.quotient("hidden_size", "num_attention_heads"),
      base: "rotary_emb_base",
      share: { field: "rotary_pct", fallback: 0.25 },
    }),
    mask: network.graph.numbers(causalMask(length), "f32", [length, length]),
  };
  let x = reshape(gather(embedding, ids), [-1, width]);
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++) {
    x = addBlock(context, x, `${prefix}layers.${i}`, block);
  }
  const rows = rowNorm(network, x, `${prefix}final_layer_norm`, block.epsilon);
  return languageHead(context, { rows, embedding, name: "embed_out", tied: false });
}

function addBlock(context: FamilyContext, x: Value, name: string, block: Block): Value {
  const { network } = context;
  const { hidden, epsilon, parallel, activation } = block;
  const attended = attend(context, rowNorm(network, x, `${name}.input_layernorm`, epsilon), name, block);
  const middle = add(x, attended);
  const rows = rowNorm(network, parallel ? x : middle, `${name}.post_attention_layernorm`, epsilon);
  const result = feedForward(network, rows, {
    up: `${name}.mlp.dense_h_to_4h`,
    down: `${name}.mlp.dense_4h_to_h`,
    hidden,
    activation,
    initializer: START,
  });
  return add(middle, result);
}

/** Attends with a fused projection in which queries, keys and values of a head are side by side. */
function attend({ network }: FamilyContext, rows: Value, name: string, block: Block): Value {
  const { length, heads, bias, rotary, mask } = block;
  const width = at(rows.shape, 1, "axis");
  const inner = width / heads;
  const project = (value: Value, layer: string, out: number) =>
    linear(network, value, `${name}.attention.${layer}`, { out, initializer: START, bias });
  const fused = reshape(project(rows, "query_key_value", 3 * width), [-1, length, heads, 3 * inner]);
  const [queries, keys, values] = split(fused, 3, [inner, inner, inner]) as [Value, Value, Value];
  const mixed = groupedAttention({
    queries: rotate(queries, rotary),
    keys: rotate(keys, rotary),
    values,
    mask,
  });
  return project(mixed, "dense", width);
}
