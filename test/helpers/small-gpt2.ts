/** Config of a GPT-2 of one block, as Hugging Face models have it. */
export const SMALL_GPT2 = {
  model_type: "gpt2",
  architectures: ["GPT2LMHeadModel"],
  vocab_size: 11,
  n_embd: 16,
  n_head: 2,
  n_layer: 1,
  n_positions: 9,
};
