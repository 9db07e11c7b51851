/** How processes share a tensor: along an axis, in halves along the first axis, or each has all of it. */
export type Split = "rows" | "gated rows" | "columns" | "copies";

/** Rules by the names of layers of Megatron and of Megatron Core; the first that matches holds. */
const RULES: readonly (readonly [RegExp, Split])[] = [
  [/(dense_h_to_4h|linear_fc1)\.(weight|bias)$/, "gated rows"],
  [/(query_key_value|linear_qkv|query|key_value|linear_q|linear_kv)\.(weight|bias)$/, "rows"],
  [/(word_embeddings|word_embeddings_for_head|output_layer|lm_head)\.(weight|bias)$/, "rows"],
  [/attention\.(dense|linear_proj)\.weight$/, "columns"],
  [/(dense_4h_to_h|linear_fc2)\.weight$/, "columns"],
  [/(dense|linear_proj|dense_4h_to_h|linear_fc2)\.bias$/, "copies"],
  [/norm|position_embeddings|tokentype_embeddings|rotary|router|pooler|inv_freq/i, "copies"],
];

/**
 * Returns how processes of tensor parallelism share a tensor of Megatron, by its name.
 * @param isGated - whether the first layer of an MLP has a gate and a projection, one above the other
 *   (SwiGLU)
 * @returns undefined if the name is of no known layer
 */
export function splitOf(name: string, isGated: boolean): Split | undefined {
  const split = RULES.find(([pattern]) => pattern.test(name))?.[1];
  return split === "gated rows" && !isGated ? "rows" : split;
}
