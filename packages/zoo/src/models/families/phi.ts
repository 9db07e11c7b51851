import { at } from "@isthmus/core";
import { reshape, sum, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../../initializer.ts";
import { feedForward } from "../../layers/feed-forward.ts";
import { groupedAttention } from "../../layers/grouped-attention.ts";
import { linear } from "../../layers/linear.ts";
import { rotate } from "../../layers/rotary.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { narrowGroups } from "../narrow-heads.ts";
import { buildRotaryDecoder, type RotaryBlock, type RotaryDecoder } from "../rotary-decoder.ts";

/** Phi 1, 1.5 and 2. @see Gunasekar et al., Textbooks are all you need, 2023, section 2.3 */
export const PHI: ModelFamily = {
  build,
  narrow,
  idle: /rotary_emb\.inv_freq$/,
};

const START = normalWeight(0.02);

const DECODER: RotaryDecoder = {
  embedding: "embed_tokens",
  prefix: "model.",
  activation: "hidden_act",
  rotary: { base: "rope_theta", share: "partial_rotary_factor" },
  norm: "final_layernorm",
  head: { name: "lm_head", bias: true },
};

interface Block extends RotaryBlock {
  readonly groups: number;
  /** Whether the queries and keys of each head are normalised. */
  readonly headNorms: boolean;
}

function build(context: FamilyContext): FamilyOutputs {
  const { config } = context;
  if (config.has("num_key_value_heads")) config.quotient("num_attention_heads", "num_key_value_heads");
  const groups = config.count("num_key_value_heads", config.count("num_attention_heads"));
  const headNorms = config.boolean("qk_layernorm");
  return buildRotaryDecoder(context, DECODER, (x, name, block) =>
    addBlock(context, x, name, { ...block, groups, headNorms }),
  );
}

/** Adds attention and a feed-forward network that read the same norm of the stream. */
function addBlock(context: FamilyContext, x: Value, name: string, block: Block): Value {
  const { network } = context;
  const { hidden, epsilon, activation } = block;
  const rows = rowNorm(network, x, `${name}.input_layernorm`, epsilon);
  const result = feedForward(network, rows, {
    up: `${name}.mlp.fc1`,
    down: `${name}.mlp.fc2`,
    hidden,
    activation,
    initializer: START,
  });
  return sum([attend(context, rows, `${name}.self_attn`, block), result, x]);
}

function attend({ network }: FamilyContext, rows: Value, name: string, block: Block): Value {
  const { length, heads, groups, inner, headNorms, epsilon, rotary, mask } = block;
  const project = (value: Value, layer: string, out: number) =>
    linear(network, value, `${name}.${layer}`, { out, initializer: START });
  const tokens = (layer: string, count: number) =>
    reshape(project(rows, layer, count * inner), [-1, length, count, inner]);
  const turned = (layer: string, count: number, norm: string) => {
    const part = tokens(layer, count);
    return rotate(headNorms ? rowNorm(network, part, `${name}.${norm}`, epsilon) : part, rotary);
  };
  const mixed = groupedAttention({
    queries: turned("q_proj", heads, "q_layernorm"),
    keys: turned("k_proj", groups, "k_layernorm"),
    values: tokens("v_proj", groups),
    mask,
  });
  return project(mixed, "dense", at(rows.shape, 1, "axis"));
}

function narrow(config: ModelConfig): Readonly<Record<string, number>> {
  const inner = config.quotient("hidden_size", "num_attention_heads");
  const fields = narrowGroups(config, inner);
  return { ...fields, hidden_size: inner * (fields["num_attention_heads"] as number) };
}
