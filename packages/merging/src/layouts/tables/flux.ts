import { type NameTable, pair } from "../name-table.ts";

/** Queries, keys and values of diffusers, of the image and of the text. */
const QKV = ["attn.to_q", "attn.to_k", "attn.to_v"];
const ADDED_QKV = ["attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"];

/**
 * Names of the transformer of Flux by Black Forest Labs, and in diffusers.
 *
 * Source: diffusers, `convert_flux_transformer_checkpoint_to_diffusers`.
 */
export const FLUX: NameTable = [
  {
    block: ["double_blocks.#.", "transformer_blocks.#."],
    modules: [
      pair("img_attn.qkv", QKV, { form: "thirds" }),
      pair("txt_attn.qkv", ADDED_QKV, { form: "thirds" }),
      pair("img_attn.norm.query_norm.scale", "attn.norm_q.weight", { tensors: [] }),
      pair("img_attn.norm.key_norm.scale", "attn.norm_k.weight", { tensors: [] }),
      pair("txt_attn.norm.query_norm.scale", "attn.norm_added_q.weight", { tensors: [] }),
      pair("txt_attn.norm.key_norm.scale", "attn.norm_added_k.weight", { tensors: [] }),
      pair("img_attn.proj", "attn.to_out.0"),
      pair("txt_attn.proj", "attn.to_add_out"),
      pair("img_mod.lin", "norm1.linear"),
      pair("txt_mod.lin", "norm1_context.linear"),
      pair("img_mlp.0", "ff.net.0.proj"),
      pair("img_mlp.2", "ff.net.2"),
      pair("txt_mlp.0", "ff_context.net.0.proj"),
      pair("txt_mlp.2", "ff_context.net.2"),
    ],
  },
  {
    block: ["single_blocks.#.", "single_transformer_blocks.#."],
    modules: [
      pair("linear1", [...QKV, "proj_mlp"], { form: "hidden" }),
      pair("linear2", "proj_out"),
      pair("modulation.lin", "norm.linear"),
      pair("norm.query_norm.scale", "attn.norm_q.weight", { tensors: [] }),
      pair("norm.key_norm.scale", "attn.norm_k.weight", { tensors: [] }),
    ],
  },
  {
    block: ["", ""],
    modules: [
      pair("time_in.in_layer", "time_text_embed.timestep_embedder.linear_1"),
      pair("time_in.out_layer", "time_text_embed.timestep_embedder.linear_2"),
      pair("vector_in.in_layer", "time_text_embed.text_embedder.linear_1"),
      pair("vector_in.out_layer", "time_text_embed.text_embedder.linear_2"),
      pair("guidance_in.in_layer", "time_text_embed.guidance_embedder.linear_1", {
        presence: "some-models",
        group: "guidance",
      }),
      pair("guidance_in.out_layer", "time_text_embed.guidance_embedder.linear_2", {
        presence: "some-models",
        group: "guidance",
      }),
      pair("img_in", "x_embedder"),
      pair("txt_in", "context_embedder"),
      pair("final_layer.linear", "proj_out"),
      pair("final_layer.adaLN_modulation.1", "norm_out.linear", { form: "swapped" }),
    ],
  },
];
