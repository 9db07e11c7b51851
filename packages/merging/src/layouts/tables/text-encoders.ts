import { type NameTable, pair } from "../name-table.ts";

const PARTS = ["q", "k", "v"];
const EMBEDDING = { tensors: ["weight"] };

/** Makes the names in diffusers of one tensor of queries, keys and values of CLIP. */
const qkv = (tensor: string) => PARTS.map((part) => `self_attn.${part}_proj.${tensor}`);

/**
 * Names of the text part of OpenCLIP, and in transformers, whose names diffusers has.
 *
 * Source: diffusers, `convert_open_clip_checkpoint`.
 */
export const OPEN_CLIP: NameTable = [
  {
    block: ["transformer.resblocks.#.", "text_model.encoder.layers.#."],
    modules: [
      pair("attn.in_proj_weight", qkv("weight"), { form: "thirds", tensors: [] }),
      pair("attn.in_proj_bias", qkv("bias"), { form: "thirds", tensors: [] }),
      pair("attn.out_proj", "self_attn.out_proj"),
      pair("ln_1", "layer_norm1"),
      pair("ln_2", "layer_norm2"),
      pair("mlp.c_fc", "mlp.fc1"),
      pair("mlp.c_proj", "mlp.fc2"),
    ],
  },
  {
    block: ["", ""],
    modules: [
      pair("token_embedding", "text_model.embeddings.token_embedding", EMBEDDING),
      pair("positional_embedding", "text_model.embeddings.position_embedding.weight", { tensors: [] }),
      pair("ln_final", "text_model.final_layer_norm"),
      pair("text_projection", "text_projection.weight", {
        tensors: [],
        form: "transposed",
        presence: "some-models",
      }),
    ],
  },
];

/** Makes a table of the names that a network has on one side of a table, the same on both of its sides. */
function asIn(table: NameTable): NameTable {
  return table.map(({ block: [, block], modules }) => ({
    block: [block, block],
    modules: modules.flatMap(({ diffusers, tensors, presence }) =>
      diffusers.map((name) => pair(name, name, { tensors, presence })),
    ),
  }));
}

/** Names of the text part of CLIP in transformers, which original files have as well. */
export const CLIP: NameTable = asIn(OPEN_CLIP);

const plain = (name: string, options = {}) => pair(name, name, { ...EMBEDDING, ...options });

/** Names of the encoder of T5 in transformers, which original files have as well. */
export const T5: NameTable = [
  {
    block: ["encoder.block.#.", "encoder.block.#."],
    modules: [
      ...["q", "k", "v", "o"].map((part) => plain(`layer.0.SelfAttention.${part}`)),
      plain("layer.0.SelfAttention.relative_attention_bias", { presence: "some-blocks" }),
      plain("layer.0.layer_norm"),
      ...["wi_0", "wi_1", "wo"].map((part) => plain(`layer.1.DenseReluDense.${part}`)),
      plain("layer.1.layer_norm"),
    ],
  },
  {
    block: ["", ""],
    modules: [
      plain("shared"),
      plain("encoder.embed_tokens", { presence: "some-models" }),
      plain("encoder.final_layer_norm"),
    ],
  },
];
