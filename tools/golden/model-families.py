"""Writes packages/zoo/test/golden/families.json.golden: what tiny models of transformers compute, from the configs that describe them.

Each model is saved by transformers, so that names and shapes of tensors are those of its checkpoints; the saved tensors are replaced
by closed formulas of the index of an element, evaluated in f64 and rounded to f32, in the order of their names; and the folder is
loaded again from a config of the form that was published with the family ("config"). "saved" is the config as this version of
transformers writes it. models.test.ts evaluates the same formulas.

Made with transformers 5.24.0 and torch 2.15.0 on a CPU: python tools/golden/model-families.py [NAME...]
With names, the entries of other models stay as they are in the file.
"""

import json
import math
import re
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "test/golden"))

import deepseek_moe
import model_configs
import torch
import transformers
from safetensors.torch import load_file, save_file

FILE = Path(__file__).parents[2] / "packages/zoo/test/golden/families.json.golden"
EXAMPLES, LENGTH = 2, 8
# Tensors of towers of images, which networks of texts do not read.
IDLE = re.compile(r"vision_tower|mm_soft_emb_norm|visual\.(?!(merger|deepstack_merger_list\.0)\.(mlp\.2|linear_fc2)\.)")
# Pairs of an image and a text in an example of CLIP and SigLIP.
PAIRS = 8
# What transformers 5 writes besides what describes the network.
NOISE = {"transformers_version", "dtype", "use_cache", "initializer_range"}


def waves(shape, seed, scale, offset=0.0):
    """offset + scale * sin(0.01 (i + 1)^2 + seed), row-major; see test/helpers/waves.ts"""
    values = [offset + scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def filled(shapes):
    weights = {}
    for index, name in enumerate(sorted(shapes)):
        shape = shapes[name]
        if len(shape) == 1:
            offset = 1.0 if name.endswith(("weight", "gamma")) else 0.0
            weights[name] = waves(shape, index + 1, 0.3, offset)
        else:
            weights[name] = waves(shape, index + 1, math.sqrt(2 / math.prod(shape[1:])))
    return weights


def ids_below(bound, rows=EXAMPLES):
    return torch.tensor([(7 * i + 3) % bound for i in range(rows * LENGTH)]).reshape(rows, LENGTH)


def images_of(config, rows=EXAMPLES):
    side = config["image_size"]
    return waves([rows, config.get("num_channels", 3), side, side], 0, 1.5)


def inputs_of(config, model):
    if config["model_type"] == "vit" or config["model_type"].endswith("_vision_model"):
        return {"pixel_values": images_of(config)}
    if config["model_type"] in ("clip", "siglip"):
        return {
            "pixel_values": images_of(config["vision_config"], EXAMPLES * PAIRS),
            "input_ids": ids_below(config["text_config"]["vocab_size"], EXAMPLES * PAIRS),
        }
    if config["model_type"] == "whisper":
        frames = 2 * config["max_source_positions"]
        return {
            "input_features": waves([EXAMPLES, config["num_mel_bins"], frames], 0, 1.5),
            "decoder_input_ids": ids_below(config["vocab_size"]),
        }
    inputs = {"input_ids": ids_below(model.config.get_text_config().vocab_size)}
    if config["model_type"] in ("bert", "roberta", "xlm-roberta"):
        inputs["token_type_ids"] = ids_below(config["type_vocab_size"])
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = ids_below(config["vocab_size"])
    return inputs


def compare_pairs(model, inputs):
    """Runs a network of two towers on the pairs of each example alone, which are compared with each other."""
    groups = [
        {key: value[i * PAIRS : (i + 1) * PAIRS] for key, value in inputs.items()} for i in range(EXAMPLES)
    ]
    results = [model(**group, return_loss=True) for group in groups]
    names = ("logits_per_image", "logits_per_text", "image_embeds", "text_embeds", "loss")
    return {name: torch.stack([result[name] for result in results]) for name in names}


def outputs_of(result):
    if "logits_per_image" in result:
        return {key: value for key, value in result.items() if key != "loss"}
    for embeddings in ("image_embeds", "text_embeds"):
        if embeddings in result:
            return {embeddings: result[embeddings]}
    if "start_logits" in result:
        return {"logits": torch.stack([result.start_logits, result.end_logits], -1)}
    outputs = {"logits": result.logits} if "logits" in result else {"hidden": result.last_hidden_state}
    if result.get("pooler_output") is not None:
        outputs["pooled"] = result.pooler_output
    return outputs


def loss_of(model, inputs, result):
    """Returns the loss of labels that count at every third place; None for models that predict no masked or continued tokens."""
    if not (model.config.is_encoder_decoder or type(model).__name__.endswith("ForMaskedLM")):
        return None
    shape = result.logits.shape[:2]
    labels = ids_below(result.logits.shape[-1]).flip(0)
    labels[torch.arange(labels.numel()).reshape(shape) % 3 != 0] = -100
    others = {key: value for key, value in inputs.items() if key != "decoder_input_ids"}
    return model(**others, labels=labels).loss


def gradients_of(model, loss, shapes):
    """Returns the length of the gradient of each tensor, in the order of their names."""
    loss.backward()
    parameters = dict(model.named_parameters(remove_duplicate=False))
    return [float(f"{parameters[name].grad.norm():.6g}") for name in sorted(shapes)]


def slope_of(model, inputs, folder, shapes):
    """Returns the derivative of the cross-entropy of each token with itself, along waves in all weights."""
    model.get_input_embeddings().padding_idx = None
    model.set_experts_implementation("eager")
    logits = model(**inputs).logits
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), inputs["input_ids"].flatten()).backward()
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.zeros_like(weight) if weight.grad is None else weight.grad)
    # Saved in place of the weights, gradients have the names of the checkpoint.
    model.save_pretrained(folder)
    gradients = load_file(folder / "model.safetensors")
    names = [name for name in sorted(shapes) if not name.endswith("e_score_correction_bias")]
    return sum(
        (gradients[name].double() * waves(shapes[name], index, 1).double()).sum().item() for index, name in enumerate(names)
    )


def run(name, published, folder):
    [class_name] = published["architectures"]
    config_path, weights_path = folder / "config.json", folder / "model.safetensors"
    config_path.write_text(json.dumps(published))
    model_class = getattr(transformers, class_name, None) or getattr(deepseek_moe, class_name)
    config = model_class.config_class.from_pretrained(folder)
    model_class(config).save_pretrained(folder)
    saved = json.loads(config_path.read_text())
    shapes = {key: list(tensor.shape) for key, tensor in load_file(weights_path).items()} | EXTRA.get(name, {})
    idle = {key: shape for key, shape in shapes.items() if IDLE.search(key)}
    shapes = {key: shape for key, shape in shapes.items() if key not in idle}
    save_file(filled(idle) | filled(shapes), weights_path, {"format": "pt"})
    config_path.write_text(json.dumps(published))
    model, info = model_class.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], (name, info)
    model.eval().requires_grad_(True)
    for module in model.modules():
        # PyTorch leaves the token that pads texts out of the gradient.
        if isinstance(module, torch.nn.Embedding):
            module.padding_idx = None
    inputs = inputs_of(published, model)
    slope = {}
    if name in SLOPES:
        slope["slope"] = float(f"{slope_of(model_class.from_pretrained(folder, attn_implementation='eager'), inputs, folder, shapes):.7g}")
    if published["model_type"] in ("clip", "siglip"):
        result = compare_pairs(model, inputs)
        loss = result["loss"].mean()
    else:
        result = model(**inputs)
        loss = loss_of(model, inputs, result)
    return slope | {
        "config": published,
        "saved": {key: value for key, value in saved.items() if key not in NOISE},
        "tensors": shapes,
        "idle": idle,
        "outputs": {
            key: [float(f"{v:.7g}") for v in value.detach().double().flatten()] for key, value in outputs_of(result).items()
        },
        **({} if loss is None else {"loss": float(f"{loss:.7g}"), "gradients": gradients_of(model, loss, shapes)}),
    }


DECODER = {
    "vocab_size": 13,
    **model_configs.ENCODER,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "max_position_embeddings": 64,
}
LLAMA = {**DECODER, "model_type": "llama", "architectures": ["LlamaForCausalLM"], "rope_theta": 100.0}
QWEN2 = {**DECODER, "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "rope_theta": 1000.0}
QWEN3 = {
    **DECODER,
    "model_type": "qwen3",
    "architectures": ["Qwen3ForCausalLM"],
    "head_dim": 6,
    "rope_theta": 1000.0,
    "tie_word_embeddings": False,
}
GEMMA = {**DECODER, "model_type": "gemma", "architectures": ["GemmaForCausalLM"], "head_dim": 6, "hidden_act": "gelu"}
GEMMA2 = {
    **DECODER,
    "model_type": "gemma2",
    "architectures": ["Gemma2ForCausalLM"],
    "head_dim": 6,
    "hidden_activation": "gelu_pytorch_tanh",
    "query_pre_attn_scalar": 8,
    "sliding_window": 3,
    "attn_logit_softcapping": 2.0,
    "final_logit_softcapping": 5.0,
}
GEMMA3 = {
    **DECODER,
    "model_type": "gemma3_text",
    "architectures": ["Gemma3ForCausalLM"],
    "head_dim": 6,
    "num_hidden_layers": 2,
    "query_pre_attn_scalar": 8,
    "sliding_window": 3,
    "sliding_window_pattern": 2,
    "rope_theta": 1000.0,
    "rope_local_base_freq": 10.0,
    "rope_scaling": {"rope_type": "linear", "factor": 8.0},
}
PHI = {
    **{key: value for key, value in DECODER.items() if key != "rms_norm_eps"},
    "model_type": "phi",
    "architectures": ["PhiForCausalLM"],
    "hidden_size": 32,
    "hidden_act": "gelu_new",
    "layer_norm_eps": 1e-5,
    "partial_rotary_factor": 0.5,
    "num_key_value_heads": None,
    "rope_theta": 100.0,
    "tie_word_embeddings": False,
}
PHI3 = {
    **DECODER,
    "model_type": "phi3",
    "architectures": ["Phi3ForCausalLM"],
    "sliding_window": 3,
    "rope_theta": 100.0,
    "tie_word_embeddings": False,
    "pad_token_id": 0,
}
MIXTRAL = {
    **DECODER,
    "model_type": "mixtral",
    "architectures": ["MixtralForCausalLM"],
    "num_experts_per_tok": 2,
    "num_local_experts": 3,
    "rope_theta": 1000.0,
    "tie_word_embeddings": False,
}
QWEN3_MOE = {
    **DECODER,
    "model_type": "qwen3_moe",
    "architectures": ["Qwen3MoeForCausalLM"],
    "head_dim": 6,
    "num_experts": 3,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 12,
    "decoder_sparse_step": 1,
    "rope_theta": 1000.0,
    "tie_word_embeddings": False,
}
QWEN2_MOE = {
    **{key: value for key, value in QWEN3_MOE.items() if key != "head_dim"},
    "model_type": "qwen2_moe",
    "architectures": ["Qwen2MoeForCausalLM"],
    "shared_expert_intermediate_size": 8,
    "use_sliding_window": False,
}
DEEPSEEK_MOE = {
    **DECODER,
    "model_type": "deepseek",
    "architectures": ["DeepseekForCausalLM"],
    "n_routed_experts": 3,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 12,
    "norm_topk_prob": True,
    "rope_theta": 1000.0,
}
GRANITE = {
    **DECODER,
    "model_type": "granite",
    "architectures": ["GraniteForCausalLM"],
    "embedding_multiplier": 3.0,
    "residual_multiplier": 0.22,
    "attention_multiplier": 0.4,
    "logits_scaling": 8.0,
    "rope_theta": 1000.0,
    "tie_word_embeddings": True,
}
OLMO2 = {
    **DECODER,
    "model_type": "olmo2",
    "architectures": ["Olmo2ForCausalLM"],
    "rope_theta": 1000.0,
    "tie_word_embeddings": False,
}
LAYER_NORMS = {key: value for key, value in DECODER.items() if key != "rms_norm_eps"}
STABLELM = {
    **LAYER_NORMS,
    "model_type": "stablelm",
    "architectures": ["StableLmForCausalLM"],
    "hidden_size": 32,
    "layer_norm_eps": 1e-5,
    "rope_theta": 100.0,
    "use_qkv_bias": True,
    "tie_word_embeddings": False,
}
STARCODER2 = {
    **LAYER_NORMS,
    "model_type": "starcoder2",
    "architectures": ["Starcoder2ForCausalLM"],
    "norm_epsilon": 1e-5,
    "sliding_window": 3,
    "rope_theta": 100.0,
    "norm_type": "layer_norm",
    "mlp_type": "default",
}
COHERE = {
    **LAYER_NORMS,
    "model_type": "cohere",
    "architectures": ["CohereForCausalLM"],
    "layer_norm_eps": 1e-5,
    "logit_scale": 0.3,
    "rope_theta": 100.0,
    "use_qk_norm": False,
}
COHERE2 = {
    **COHERE,
    "model_type": "cohere2",
    "architectures": ["Cohere2ForCausalLM"],
    "sliding_window": 3,
    "sliding_window_pattern": 2,
    "rotary_pct": 1.0,
    "position_embedding_type": "rope_gptj",
}
FALCON = {
    "model_type": "falcon",
    "architectures": ["FalconForCausalLM"],
    "vocab_size": 13,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "ffn_hidden_size": 24,
    "rope_theta": 100.0,
    "layer_norm_epsilon": 1e-5,
    "max_position_embeddings": 64,
}
DEEPSEEK = {
    **DECODER,
    "num_key_value_heads": 4,
    "q_lora_rank": 10,
    "kv_lora_rank": 8,
    "qk_nope_head_dim": 6,
    "qk_rope_head_dim": 4,
    "v_head_dim": 5,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 8,
    "first_k_dense_replace": 1,
    "rope_theta": 1000.0,
    "tie_word_embeddings": False,
}
DEEPSEEK2 = {**DEEPSEEK, "model_type": "deepseek_v2", "architectures": ["DeepseekV2ForCausalLM"]}
DEEPSEEK3 = {
    **DEEPSEEK,
    "model_type": "deepseek_v3",
    "architectures": ["DeepseekV3ForCausalLM"],
    "n_routed_experts": 6,
    "n_group": 3,
    "topk_group": 2,
    "norm_topk_prob": True,
    "scoring_func": "sigmoid",
    "topk_method": "noaux_tc",
    "num_nextn_predict_layers": 0,
}
YARN = {
    "type": "yarn",
    "factor": 4.0,
    "beta_fast": 4,
    "beta_slow": 1,
    "mscale": 0.7,
    "mscale_all_dim": 1.0,
    "original_max_position_embeddings": 16,
}
GEMMA3_IMAGES = {
    "model_type": "gemma3",
    "architectures": ["Gemma3ForConditionalGeneration"],
    "mm_tokens_per_image": 4,
    "text_config": {
        key: value for key, value in GEMMA3.items() if key not in ("architectures", "num_attention_heads", "num_key_value_heads")
    },
    "vision_config": {
        "model_type": "siglip_vision_model",
        "hidden_size": 8,
        "intermediate_size": 12,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 4,
        "patch_size": 2,
    },
}
QWEN_VISION = {
    "depth": 1,
    "num_heads": 2,
    "in_channels": 3,
    "patch_size": 2,
    "temporal_patch_size": 2,
    "spatial_merge_size": 2,
}
# Older files have the fields of the texts beside the others.
QWEN2_IMAGES = {
    **QWEN2,
    "model_type": "qwen2_vl",
    "architectures": ["Qwen2VLForConditionalGeneration"],
    "rope_scaling": {"type": "mrope", "mrope_section": [1, 1]},
    "use_sliding_window": True,
    "sliding_window": 3,
    "max_window_layers": 1,
    "tie_word_embeddings": False,
    "vision_config": {**QWEN_VISION, "model_type": "qwen2_vl", "embed_dim": 8, "hidden_size": 16, "mlp_ratio": 1},
}
QWEN3_IMAGES = {
    "model_type": "qwen3_vl",
    "architectures": ["Qwen3VLForConditionalGeneration"],
    "tie_word_embeddings": True,
    "text_config": {
        **{key: value for key, value in QWEN3.items() if key not in ("architectures", "tie_word_embeddings", "rope_theta")},
        "model_type": "qwen3_vl_text",
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0, "mrope_section": [1, 1, 1], "mrope_interleaved": True},
    },
    "vision_config": {
        **QWEN_VISION,
        "model_type": "qwen3_vl",
        "hidden_size": 8,
        "intermediate_size": 12,
        "out_hidden_size": 16,
        "deepstack_visual_indexes": [0],
        "num_position_embeddings": 4,
    },
}
MAMBA = {
    "model_type": "mamba",
    "architectures": ["MambaForCausalLM"],
    "vocab_size": 13,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "state_size": 3,
    "layer_norm_epsilon": 1e-5,
}
MAMBA2 = {
    **MAMBA,
    "model_type": "mamba2",
    "architectures": ["Mamba2ForCausalLM"],
    "num_heads": 4,
    "head_dim": 6,
    "n_groups": 2,
    "chunk_size": 4,
}
BERT = {
    "model_type": "bert",
    "vocab_size": 13,
    **model_configs.ENCODER,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 11,
    "type_vocab_size": 2,
    "pad_token_id": 0,
}
ROBERTA = {**BERT, "model_type": "roberta", "layer_norm_eps": 1e-5, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
DISTILBERT = {
    "model_type": "distilbert",
    "vocab_size": 13,
    "dim": 16,
    "hidden_dim": 24,
    "n_layers": 2,
    "n_heads": 4,
    "max_position_embeddings": 11,
    "activation": "gelu",
    "pad_token_id": 0,
}
T5 = {
    "model_type": "t5",
    "architectures": ["T5ForConditionalGeneration"],
    "vocab_size": 13,
    "d_model": 16,
    "d_kv": 6,
    "d_ff": 24,
    "num_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 10,
    "decoder_start_token_id": 0,
}
MODERNBERT = {
    "model_type": "modernbert",
    "vocab_size": 13,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "global_attn_every_n_layers": 2,
    "local_attention": 4,
    "global_rope_theta": 1000.0,
    "local_rope_theta": 10.0,
    "norm_eps": 1e-5,
    "max_position_embeddings": 64,
    **{f"{kind}_token_id": 0 for kind in ("pad", "bos", "eos", "cls", "sep")},
}
WHISPER = {
    "model_type": "whisper",
    "architectures": ["WhisperForConditionalGeneration"],
    "vocab_size": 13,
    "d_model": 16,
    "num_mel_bins": 5,
    "max_source_positions": 6,
    "max_target_positions": 11,
    **{f"{stack}_layers": 1 for stack in ("encoder", "decoder")},
    **{f"{stack}_attention_heads": 4 for stack in ("encoder", "decoder")},
    **{f"{stack}_ffn_dim": 24 for stack in ("encoder", "decoder")},
    "decoder_start_token_id": 3,
    **{f"{kind}_token_id": 0 for kind in ("pad", "bos", "eos")},
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
}
TOWER = {"num_hidden_layers": 1, "num_attention_heads": 2, "layer_norm_eps": 1e-5}
TEXT = {
    **TOWER,
    "vocab_size": 13,
    "hidden_size": 8,
    "intermediate_size": 12,
    "max_position_embeddings": 11,
    **{f"{kind}_token_id": 0 for kind in ("pad", "bos")},
}
VISION = {**TOWER, "hidden_size": 12, "intermediate_size": 10, "image_size": 8, "patch_size": 4}
CLIP_TEXT = {**TEXT, "model_type": "clip_text_model", "eos_token_id": 12, "projection_dim": 6}
CLIP_VISION = {**VISION, "model_type": "clip_vision_model", "projection_dim": 6}
CLIP = {
    "model_type": "clip",
    "architectures": ["CLIPModel"],
    "projection_dim": 6,
    "text_config": CLIP_TEXT,
    "vision_config": CLIP_VISION,
}
SIGLIP_TEXT = {**TEXT, "model_type": "siglip_text_model", "hidden_size": 12, "eos_token_id": 0}
SIGLIP_VISION = {**VISION, "model_type": "siglip_vision_model"}
SIGLIP = {
    "model_type": "siglip",
    "architectures": ["SiglipModel"],
    "text_config": SIGLIP_TEXT,
    "vision_config": SIGLIP_VISION,
}
# Models whose gradients are compared.
SLOPES = {"qwen2_moe", "qwen3_moe", "granite", "olmo2", "stablelm", "starcoder2", "cohere", "falcon", "deepseek_v2", "deepseek_v3", "gemma3", "mamba", "mamba2"}
LABELS = {"id2label": {"0": "a", "1": "b", "2": "c"}}

# Tensors of published checkpoints that transformers 5 no longer saves.
EXTRA = {"t5, gated, with a head of its own": {"lm_head.weight": [13, 16]}}

MODELS = {
    "llama, of transformers": LLAMA,
    "mistral, of transformers": {
        **DECODER,
        "model_type": "mistral",
        "architectures": ["MistralForCausalLM"],
        "sliding_window": 3,
        "rope_theta": 100.0,
        "tie_word_embeddings": False,
    },
    "qwen2, of transformers": {**QWEN2, "use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1},
    "qwen3": QWEN3,
    "qwen3, tied, with biases and a window": {
        **QWEN3,
        "tie_word_embeddings": True,
        "attention_bias": True,
        "use_sliding_window": True,
        "sliding_window": 3,
        "max_window_layers": 1,
    },
    "gemma": GEMMA,
    "gemma2": GEMMA2,
    "gemma2, without caps": {**GEMMA2, "attn_logit_softcapping": None, "final_logit_softcapping": None},
    "gemma3_text": GEMMA3,
    "phi": PHI,
    "phi, norms of heads, groups": {**PHI, "qk_layernorm": True, "num_key_value_heads": 2},
    "phi3": PHI3,
    "phi3, partly turned, stretched": {
        **PHI3,
        "hidden_size": 32,
        "sliding_window": None,
        "partial_rotary_factor": 0.75,
        "tie_word_embeddings": True,
        "original_max_position_embeddings": 6,
        "rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.1, 1.5], "long_factor": [1.0, 2.0, 4.0]},
    },
    "phi3, stretched, short texts": {
        **PHI3,
        "original_max_position_embeddings": 16,
        "rope_scaling": {"type": "longrope", "short_factor": [1.1, 1.5], "long_factor": [2.0, 4.0]},
    },
    "mixtral": MIXTRAL,
    "qwen3_moe": {**QWEN3_MOE, "norm_topk_prob": True},
    "qwen3_moe, every other layer, probabilities as they are, biases": {
        **QWEN3_MOE,
        "decoder_sparse_step": 2,
        "attention_bias": True,
        "tie_word_embeddings": True,
        "use_sliding_window": True,
        "sliding_window": 3,
    },
    "qwen2_moe": {**QWEN2_MOE, "norm_topk_prob": True},
    "qwen2_moe, every other layer, no biases, tied": {
        **QWEN2_MOE,
        "decoder_sparse_step": 2,
        "qkv_bias": False,
        "tie_word_embeddings": True,
    },
    "granite": GRANITE,
    "granite, biases, a head of its own": {
        **GRANITE,
        "attention_bias": True,
        "mlp_bias": True,
        "num_key_value_heads": 1,
        "tie_word_embeddings": False,
    },
    "olmo2": OLMO2,
    "olmo2, biases, tied": {**OLMO2, "attention_bias": True, "num_key_value_heads": 4, "tie_word_embeddings": True},
    "stablelm": STABLELM,
    "stablelm, parallel, norms of heads": {
        **STABLELM,
        "use_qkv_bias": False,
        "qk_layernorm": True,
        "use_parallel_residual": True,
        "partial_rotary_factor": 0.5,
        "tie_word_embeddings": True,
    },
    "starcoder2": STARCODER2,
    "starcoder2, no biases, a head of its own": {
        **STARCODER2,
        "use_bias": False,
        "sliding_window": None,
        "num_key_value_heads": 4,
        "tie_word_embeddings": False,
    },
    "cohere": COHERE,
    "cohere, norms of heads, biases, a head of its own": {
        **COHERE,
        "use_qk_norm": True,
        "attention_bias": True,
        "tie_word_embeddings": False,
    },
    "cohere2": COHERE2,
    "falcon": {**FALCON, "multi_query": True, "bias": True},
    "falcon, new": {**FALCON, "new_decoder_architecture": True, "num_kv_heads": 2, "tie_word_embeddings": False},
    "falcon, new, one norm": {**FALCON, "new_decoder_architecture": True, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1},
    "falcon, one after the other": {**FALCON, "parallel_attn": False, "multi_query": False, "bias": True},
    "deepseek": DEEPSEEK_MOE,
    "deepseek, one expert for a token, none shared, the first block dense": {
        **DEEPSEEK_MOE,
        "n_shared_experts": None,
        "num_experts_per_tok": 1,
        "first_k_dense_replace": 1,
        "attention_bias": True,
    },
    "deepseek_v2": DEEPSEEK2,
    "deepseek_v2, groups, stretched, biases, queries of full rank": {
        **DEEPSEEK2,
        "q_lora_rank": None,
        "topk_method": "group_limited_greedy",
        "n_group": 2,
        "topk_group": 1,
        "n_shared_experts": 2,
        "routed_scaling_factor": 1.5,
        "attention_bias": True,
        "mlp_bias": True,
        "rope_scaling": YARN,
    },
    "deepseek_v3": {**DEEPSEEK3, "rope_scaling": YARN},
    "deepseek_v3, halves apart, weights as they are": {**DEEPSEEK3, "rope_interleave": False, "norm_topk_prob": False},
    "llama, stretched by its base": {
        **LLAMA,
        "max_position_embeddings": 6,
        "rope_scaling": {"type": "dynamic", "factor": 2.0},
    },
    "qwen2_vl": QWEN2_IMAGES,
    "qwen3_vl": QWEN3_IMAGES,
    "qwen3, stretched by YaRN": {**QWEN3, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}},
    "gemma3": GEMMA3_IMAGES,
    "mamba": MAMBA,
    "mamba, biases, a head of its own": {
        **MAMBA,
        "use_bias": True,
        "use_conv_bias": False,
        "time_step_rank": 2,
        "conv_kernel": 3,
        "expand": 1,
        "tie_word_embeddings": False,
    },
    "mamba2": MAMBA2,
    "mamba2, biases, tied, one group, limited steps": {
        **MAMBA2,
        "n_groups": 1,
        "use_bias": True,
        "use_conv_bias": False,
        "time_step_limit": [0.2, 0.9],
        "tie_word_embeddings": True,
    },
    "gpt2, of transformers": model_configs.GPT2,
    "gpt_neox, of transformers": {
        **model_configs.NEOX,
        "rotary_pct": 0.5,
        "rotary_emb_base": 100,
        "max_position_embeddings": 64,
        "tie_word_embeddings": False,
    },
    "bert, of transformers": {**BERT, "architectures": ["BertForMaskedLM"]},
    "roberta, for words": {**ROBERTA, "architectures": ["RobertaForMaskedLM"]},
    "roberta, for texts": {**ROBERTA, **LABELS, "architectures": ["RobertaForSequenceClassification"]},
    "roberta, for tokens": {**ROBERTA, **LABELS, "architectures": ["RobertaForTokenClassification"]},
    "roberta, for answers": {**ROBERTA, "architectures": ["RobertaForQuestionAnswering"]},
    "roberta, base": {**ROBERTA, "architectures": ["RobertaModel"]},
    "xlm-roberta": {**ROBERTA, "model_type": "xlm-roberta", "architectures": ["XLMRobertaForMaskedLM"]},
    "distilbert, for words": {**DISTILBERT, "architectures": ["DistilBertForMaskedLM"]},
    "distilbert, for texts": {**DISTILBERT, **LABELS, "architectures": ["DistilBertForSequenceClassification"]},
    "distilbert, for tokens": {**DISTILBERT, **LABELS, "architectures": ["DistilBertForTokenClassification"]},
    "distilbert, for answers": {**DISTILBERT, "architectures": ["DistilBertForQuestionAnswering"]},
    "distilbert, base": {**DISTILBERT, "architectures": ["DistilBertModel"]},
    "modernbert, for words": {**MODERNBERT, "architectures": ["ModernBertForMaskedLM"]},
    "modernbert, for words, biases": {
        **MODERNBERT,
        "architectures": ["ModernBertForMaskedLM"],
        "attention_bias": True,
        "mlp_bias": True,
        "norm_bias": True,
        "classifier_bias": True,
        "decoder_bias": False,
        "hidden_activation": "silu",
    },
    "modernbert, for texts": {
        **MODERNBERT,
        **LABELS,
        "architectures": ["ModernBertForSequenceClassification"],
        "classifier_pooling": "mean",
    },
    "modernbert, for tokens": {**MODERNBERT, **LABELS, "architectures": ["ModernBertForTokenClassification"]},
    "modernbert, base": {**MODERNBERT, "architectures": ["ModernBertModel"]},
    "vit, of transformers": {
        **LABELS,
        "model_type": "vit",
        "architectures": ["ViTForImageClassification"],
        **model_configs.ENCODER,
        "layer_norm_eps": 1e-12,
        **model_configs.IMAGES,
    },
    "t5": T5,
    "t5, gated, with a head of its own": {
        **T5,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
        "num_decoder_layers": 1,
    },
    "t5, encoder": {**T5, "architectures": ["T5EncoderModel"]},
    "whisper": WHISPER,
    "clip": CLIP,
    "clip, as published": {
        **CLIP,
        "text_config": {**CLIP_TEXT, "eos_token_id": 2},
        "text_config_dict": {
            **{key: value for key, value in CLIP_TEXT.items() if key not in ("projection_dim", "model_type")},
            "hidden_act": "gelu",
            "eos_token_id": 2,
        },
    },
    "clip, texts": {**CLIP_TEXT, "architectures": ["CLIPTextModelWithProjection"]},
    "clip, texts, no projection": {**CLIP_TEXT, "architectures": ["CLIPTextModel"]},
    "clip, images": {**CLIP_VISION, "architectures": ["CLIPVisionModelWithProjection"]},
    "clip, images, no projection": {**CLIP_VISION, "architectures": ["CLIPVisionModel"]},
    "siglip": SIGLIP,
    "siglip, texts": {**SIGLIP_TEXT, "projection_size": 5, "architectures": ["SiglipTextModel"]},
    "siglip, images": {**SIGLIP_VISION, "architectures": ["SiglipVisionModel"]},
    "siglip, images, no head": {
        **SIGLIP_VISION,
        "vision_use_head": False,
        "architectures": ["SiglipVisionModel"],
    },
}


def main():
    asked = sys.argv[1:] or list(MODELS)
    kept = {} if len(sys.argv) == 1 else json.loads(FILE.read_text())
    entries = []
    for name, published in MODELS.items():
        if name in asked:
            with tempfile.TemporaryDirectory() as folder:
                kept[name] = run(name, published, Path(folder))
        entries.append(f"{json.dumps(name)}: {json.dumps(kept[name], separators=(',', ':'))}")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("{\n" + ",\n".join(entries) + "\n}\n")


main()
