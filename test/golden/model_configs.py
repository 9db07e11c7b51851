"""Parts of the configs of small models, as Hugging Face has them."""

GPT2 = {
    "model_type": "gpt2",
    "architectures": ["GPT2LMHeadModel"],
    "vocab_size": 13,
    "n_embd": 16,
    "n_head": 4,
    "n_layer": 2,
    "n_positions": 11,
}
NEOX = {
    "model_type": "gpt_neox",
    "architectures": ["GPTNeoXForCausalLM"],
    "vocab_size": 13,
    "hidden_size": 32,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
ENCODER = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
IMAGES = {
    "image_size": 6,
    "patch_size": 3,
    "num_channels": 2,
}
