/**
 * Words of module names that have an underscore themselves, in networks whose adapters kohya's sd-scripts
 * name: U-Nets of diffusers and of the original Stable Diffusion, CLIP, T5, Flux and Stable Diffusion 3.
 */
const WITH_UNDERSCORES = [
  ...["down_blocks", "up_blocks", "mid_block", "input_blocks", "middle_block", "output_blocks"],
  ...["transformer_blocks", "single_transformer_blocks", "double_blocks", "single_blocks", "joint_blocks"],
  ...["to_q", "to_k", "to_v", "to_out", "to_add_out", "add_q_proj", "add_k_proj", "add_v_proj"],
  ...["proj_in", "proj_out", "proj_mlp", "conv_in", "conv_out", "conv_shortcut", "conv_norm_out"],
  ...["time_embedding", "add_embedding", "time_emb_proj", "linear_1", "linear_2", "time_embed", "label_emb"],
  ...["in_layers", "emb_layers", "out_layers", "skip_connection", "group_norm"],
  ...["text_model", "self_attn", "q_proj", "k_proj", "v_proj", "out_proj", "layer_norm1", "layer_norm2"],
  ...["position_embedding", "token_embedding", "text_projection", "final_layer_norm", "embed_tokens"],
  ...["img_attn", "txt_attn", "img_mlp", "txt_mlp", "img_mod", "txt_mod", "img_in", "txt_in", "time_in"],
  ...["vector_in", "guidance_in", "in_layer", "out_layer", "final_layer", "adaLN_modulation"],
  ...["context_block", "x_block", "x_embedder", "t_embedder", "y_embedder", "context_embedder"],
  ...["ff_context", "norm1_context", "norm_out", "gate_proj", "up_proj", "down_proj", "in_proj"],
  ...["wi_0", "wi_1", "time_text_embed", "timestep_embedder", "text_embedder", "guidance_embedder"],
] as const;

/** Words of module names without an underscore, in the same networks. */
const PLAIN = [
  ...["resnets", "attentions", "downsamplers", "upsamplers", "attn", "attn1", "attn2", "attn3", "ff", "net"],
  ...["proj", "conv", "conv1", "conv2", "norm", "norm1", "norm2", "norm3", "op", "out", "linear", "linear1"],
  ...[
    "linear2",
    "encoder",
    "decoder",
    "layers",
    "layer",
    "mlp",
    "fc1",
    "fc2",
    "embeddings",
    "block",
    "blocks",
  ],
  ...["qkv", "modulation", "lin", "model", "DenseReluDense", "SelfAttention", "wo", "q", "k", "v", "o"],
  ...["shared", "transformer", "timestep", "embedder"],
] as const;

const KNOWN: ReadonlySet<string> = new Set([...WITH_UNDERSCORES, ...PLAIN]);

/** Most pieces between underscores that one word has, as `single_transformer_blocks`. */
const LONGEST = 3;

/**
 * Puts the dots back into the path of a module in which kohya's sd-scripts wrote underscores, by the words
 * that are known. The longest word that fits is taken at each place: no known word begins with the whole of
 * another and an underscore in two ways.
 * @returns undefined if a word is not known, so that the place of its dots cannot be told without the network
 */
export function dotPath(path: string): string | undefined {
  if (path.includes(".")) return path;
  const pieces = path.split("_");
  const words: string[] = [];
  for (let i = 0; i < pieces.length; ) {
    const length = lengthOfWord(pieces, i);
    if (length === 0) return undefined;
    words.push(pieces.slice(i, i + length).join("_"));
    i += length;
  }
  return words.join(".");
}

function lengthOfWord(pieces: readonly string[], begin: number): number {
  for (let length = Math.min(LONGEST, pieces.length - begin); length > 0; length--) {
    const word = pieces.slice(begin, begin + length).join("_");
    if (KNOWN.has(word) || /^\d+$/.test(word)) return length;
  }
  return 0;
}
