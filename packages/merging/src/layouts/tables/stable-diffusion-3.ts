import { type ModulePair, type NameTable, pair } from "../name-table.ts";

const PARTS = ["q", "k", "v"];

/** Norms of queries and keys, which version 3.5 has, and its second attention in the first blocks. */
const NORM = { tensors: ["weight"], presence: "some-models", group: "norms" } as const;
const SECOND = { presence: "some-blocks", group: "attn2" } as const;

/** Makes the lines of an attention over the image. */
function attention(name: "attn" | "attn2"): readonly ModulePair[] {
  const norm = name === "attn2" ? { ...NORM, ...SECOND } : NORM;
  const options = name === "attn2" ? SECOND : {};
  const qkv = PARTS.map((part) => `${name}.to_${part}`);
  return [
    pair(`x_block.${name}.qkv`, qkv, { ...options, form: "thirds" }),
    pair(`x_block.${name}.proj`, `${name}.to_out.0`, options),
    pair(`x_block.${name}.ln_q`, `${name}.norm_q`, norm),
    pair(`x_block.${name}.ln_k`, `${name}.norm_k`, norm),
  ];
}

/**
 * Names of the transformer of Stable Diffusion 3 and 3.5 by Stability AI, and in diffusers. The last block
 * has no outputs for the text.
 *
 * Source: diffusers, `convert_sd3_transformer_checkpoint_to_diffusers`.
 */
export const STABLE_DIFFUSION_3: NameTable = [
  {
    block: ["joint_blocks.#.", "transformer_blocks.#."],
    modules: [
      ...attention("attn"),
      ...attention("attn2"),
      pair(
        "context_block.attn.qkv",
        PARTS.map((part) => `attn.add_${part}_proj`),
        { form: "thirds" },
      ),
      pair("context_block.attn.proj", "attn.to_add_out", { presence: "not-last" }),
      pair("context_block.attn.ln_q", "attn.norm_added_q", NORM),
      pair("context_block.attn.ln_k", "attn.norm_added_k", NORM),
      pair("x_block.adaLN_modulation.1", "norm1.linear"),
      pair("context_block.adaLN_modulation.1", "norm1_context.linear", { lastForm: "swapped" }),
      pair("x_block.mlp.fc1", "ff.net.0.proj"),
      pair("x_block.mlp.fc2", "ff.net.2"),
      pair("context_block.mlp.fc1", "ff_context.net.0.proj", { presence: "not-last" }),
      pair("context_block.mlp.fc2", "ff_context.net.2", { presence: "not-last" }),
    ],
  },
  {
    block: ["", ""],
    modules: [
      pair("pos_embed", "pos_embed.pos_embed", { tensors: [] }),
      pair("x_embedder.proj", "pos_embed.proj"),
      pair("t_embedder.mlp.0", "time_text_embed.timestep_embedder.linear_1"),
      pair("t_embedder.mlp.2", "time_text_embed.timestep_embedder.linear_2"),
      pair("y_embedder.mlp.0", "time_text_embed.text_embedder.linear_1"),
      pair("y_embedder.mlp.2", "time_text_embed.text_embedder.linear_2"),
      pair("context_embedder", "context_embedder"),
      pair("final_layer.linear", "proj_out"),
      pair("final_layer.adaLN_modulation.1", "norm_out.linear", { form: "swapped" }),
    ],
  },
];
