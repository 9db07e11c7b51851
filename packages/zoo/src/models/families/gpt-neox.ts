import { at } from "@isthmus/core";
import { add, reshape, split, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../../initializer.ts";
import { feedForward } from "../../layers/feed-forward.ts";
import { groupedAttention } from "../../layers/grouped-attention.ts";
import { linear } from "../../layers/linear.ts";
import { rotate } from "../../layers/rotary.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { narrowHeads } from "../narrow-heads.ts";
import { buildRotaryDecoder, type RotaryBlock, type RotaryDecoder } from "../rotary-decoder.ts";

/** GPT-NeoX and Pythia. @see Black et al., GPT-NeoX-20B, 2022, section 2.1 */
export const GPT_NEOX: ModelFamily = {
  build,
  narrow: narrowHeads,
  idle: /\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/,
};

const START = normalWeight(0.02);

const DECODER: RotaryDecoder = {
  embedding: "embed_in",
  prefix: "gpt_neox.",
  activation: "hidden_act",
  rotary: { base: "rotary_emb_base", share: "rotary_pct" },
  norm: "final_layer_norm",
  head: { name: "embed_out" },
};

interface Block extends RotaryBlock {
  readonly bias: boolean;
  /**
   * Whether the feed-forward network reads the input of the block, as the attention does, rather than the sum
   * after the attention.
   */
  readonly parallel: boolean;
}

function build(context: FamilyContext): FamilyOutputs {
  const bias = context.config.boolean("attention_bias");
  const parallel = context.config.boolean("use_parallel_residual");
  return buildRotaryDecoder(context, DECODER, (x, name, block) =>
    addBlock(context, x, name, { ...block, bias, parallel }),
  );
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
  const { length, heads, inner, bias, rotary, mask } = block;
  const width = at(rows.shape, 1, "axis");
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
