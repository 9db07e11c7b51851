"""Writes models.json: configs, names and shapes of tensors, and outputs of PyTorch modules that networks of configs must equal.

Modules are written as transformers has them, with its names. Weights and inputs are closed formulas of the index of an element,
evaluated in f64 and rounded to f32; models.test.ts evaluates the same formulas.

Made with torch 2.15.0 on a CPU: python generate-models.py
"""

import json
import math
import pathlib

import model_configs
import torch
import torch.nn.functional as F
from golden_networks import Conv1D
from torch import nn

FOLDER = pathlib.Path(__file__).parent
EXAMPLES, LENGTH = 2, 8
ACTIVATIONS = {
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
}


def waves(shape, seed, scale, offset=0.0):
    """offset + scale * sin(0.01 (i + 1)^2 + seed), row-major; see helpers/waves.ts"""
    values = [offset + scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


class Module(nn.Module):
    """Submodules by name."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


def frequencies(turned, base, scaling):
    result = 1.0 / base ** (torch.arange(0, turned, 2).double() / turned)
    kind = (scaling or {}).get("rope_type", "default")
    if kind == "linear":
        result = result / scaling["factor"]
    if kind == "llama3":
        # transformers.modeling_rope_utils._compute_llama3_parameters
        factor, low, high = scaling["factor"], scaling["low_freq_factor"], scaling["high_freq_factor"]
        old = scaling["original_max_position_embeddings"]
        length = 2 * math.pi / result
        scaled = torch.where(length > old / low, result / factor, result)
        smooth = (old / length - low) / (high - low)
        smoothed = (1 - smooth) * scaled / factor + smooth * scaled
        medium = ~(length < old / high) & ~(length > old / low)
        result = torch.where(medium, smoothed, scaled)
    return result


def rotate(x, freq):
    """transformers' apply_rotary_pos_emb on the first dimensions of x [n, heads, length, inner]"""
    angles = torch.arange(x.shape[2]).double()[:, None] * freq[None, :]
    angles = torch.cat([angles, angles], -1)
    turned, rest = x[..., : angles.shape[-1]], x[..., angles.shape[-1] :]
    half = turned.shape[-1] // 2
    swapped = torch.cat([-turned[..., half:], turned[..., :half]], -1)
    turned = turned * angles.cos().float() + swapped * angles.sin().float()
    return torch.cat([turned, rest], -1)


def attend(q, k, v, causal, window=None):
    """q [n, heads, length, inner]; groups of k and v repeated for their heads; rows [n, length, heads * inner]"""
    repeat = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
    length = q.shape[2]
    place = torch.arange(length)
    seen = torch.ones(length, length, dtype=torch.bool)
    if causal:
        seen = place[None, :] <= place[:, None]
    if window:
        seen = seen & (place[:, None] - place[None, :] < window)
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
    return mixed.transpose(1, 2).flatten(2)


def split_heads(x, heads):
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


class RmsNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)


class LlamaBlock(nn.Module):
    """LlamaDecoderLayer, MistralDecoderLayer, Qwen2DecoderLayer"""

    def __init__(self, c, qkv_bias, o_bias, layer):
        super().__init__()
        self.c = c
        windowed = c["model_type"] == "mistral" or (c.get("use_sliding_window") and layer >= c["max_window_layers"])
        self.window = c.get("sliding_window") if windowed else None
        width, hidden, heads = c["hidden_size"], c["intermediate_size"], c["num_attention_heads"]
        groups, inner = c["num_key_value_heads"], c.get("head_dim", width // heads)
        mlp_bias = c.get("mlp_bias", False)
        self.input_layernorm = RmsNorm(width, c["rms_norm_eps"])
        self.self_attn = Module(
            q_proj=nn.Linear(width, heads * inner, bias=qkv_bias),
            k_proj=nn.Linear(width, groups * inner, bias=qkv_bias),
            v_proj=nn.Linear(width, groups * inner, bias=qkv_bias),
            o_proj=nn.Linear(heads * inner, width, bias=o_bias),
        )
        self.post_attention_layernorm = RmsNorm(width, c["rms_norm_eps"])
        self.mlp = Module(
            gate_proj=nn.Linear(width, hidden, bias=mlp_bias),
            up_proj=nn.Linear(width, hidden, bias=mlp_bias),
            down_proj=nn.Linear(hidden, width, bias=mlp_bias),
        )
        parameters = c.get("rope_parameters", {})
        scaling = c.get("rope_parameters") or c.get("rope_scaling")
        self.freq = frequencies(inner, parameters.get("rope_theta", c.get("rope_theta", 10000.0)), scaling)

    def forward(self, x):
        c, a, m = self.c, self.self_attn, self.mlp
        heads, groups = c["num_attention_heads"], c["num_key_value_heads"]
        y = self.input_layernorm(x)
        q = rotate(split_heads(a.q_proj(y), heads), self.freq)
        k = rotate(split_heads(a.k_proj(y), groups), self.freq)
        x = x + a.o_proj(attend(q, k, split_heads(a.v_proj(y), groups), True, self.window))
        y = self.post_attention_layernorm(x)
        return x + m.down_proj(ACTIVATIONS[c["hidden_act"]](m.gate_proj(y)) * m.up_proj(y))


class Llama(nn.Module):
    def __init__(self, c):
        super().__init__()
        qkv = c.get("attention_bias", c["model_type"] == "qwen2")
        out = c.get("attention_bias", False)
        width = c["hidden_size"]
        self.model = Module(
            embed_tokens=nn.Embedding(c["vocab_size"], width),
            layers=nn.Sequential(*(LlamaBlock(c, qkv, out, i) for i in range(c["num_hidden_layers"]))),
            norm=RmsNorm(width, c["rms_norm_eps"]),
        )
        self.lm_head = None if c.get("tie_word_embeddings") else nn.Linear(width, c["vocab_size"], bias=False)

    def forward(self, ids):
        x = self.model.norm(self.model.layers(self.model.embed_tokens(ids)))
        return {"logits": F.linear(x, self.model.embed_tokens.weight) if self.lm_head is None else self.lm_head(x)}


class LlamaClassifier(Llama):
    """LlamaForSequenceClassification, before the last token is picked; with the base under its prefix"""

    def __init__(self, c):
        super().__init__({**c, "tie_word_embeddings": True})
        self.score = nn.Linear(c["hidden_size"], len(c["id2label"]), bias=False)

    def forward(self, ids):
        return {"logits": self.score(self.model.norm(self.model.layers(self.model.embed_tokens(ids))))}


class Gpt2Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, hidden, eps = c["n_embd"], c.get("n_inner") or 4 * c["n_embd"], c["layer_norm_epsilon"]
        self.ln_1 = nn.LayerNorm(width, eps=eps)
        self.attn = Module(c_attn=Conv1D(3 * width, width), c_proj=Conv1D(width, width))
        self.ln_2 = nn.LayerNorm(width, eps=eps)
        self.mlp = Module(c_fc=Conv1D(hidden, width), c_proj=Conv1D(width, hidden))
        self.heads, self.act = c["n_head"], ACTIVATIONS[c["activation_function"]]

    def forward(self, x):
        q, k, v = (split_heads(part, self.heads) for part in self.attn.c_attn(self.ln_1(x)).chunk(3, -1))
        x = x + self.attn.c_proj(attend(q, k, v, True))
        return x + self.mlp.c_proj(self.act(self.mlp.c_fc(self.ln_2(x))))


class Gpt2Base(nn.Module):
    """GPT2Model; with the logits of tied embeddings, or without"""

    def __init__(self, c, head):
        super().__init__()
        self.wte = nn.Embedding(c["vocab_size"], c["n_embd"])
        self.wpe = nn.Embedding(c["n_positions"], c["n_embd"])
        self.h = nn.Sequential(*(Gpt2Block(c) for _ in range(c["n_layer"])))
        self.ln_f = nn.LayerNorm(c["n_embd"], eps=c["layer_norm_epsilon"])
        self.head = head

    def forward(self, ids):
        x = self.ln_f(self.h(self.wte(ids) + self.wpe(torch.arange(LENGTH))))
        return {"logits": F.linear(x, self.wte.weight)} if self.head else {"hidden": x}


class Gpt2(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.transformer = Gpt2Base(c, True)

    def forward(self, ids):
        return self.transformer(ids)


class NeoxBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, hidden, eps = c["hidden_size"], c["intermediate_size"], c["layer_norm_eps"]
        bias = c.get("attention_bias", True)
        self.input_layernorm = nn.LayerNorm(width, eps=eps)
        self.post_attention_layernorm = nn.LayerNorm(width, eps=eps)
        self.attention = Module(
            query_key_value=nn.Linear(width, 3 * width, bias=bias), dense=nn.Linear(width, width, bias=bias)
        )
        self.mlp = Module(dense_h_to_4h=nn.Linear(width, hidden), dense_4h_to_h=nn.Linear(hidden, width))
        self.heads, self.act = c["num_attention_heads"], ACTIVATIONS[c["hidden_act"]]
        self.parallel = c["use_parallel_residual"]
        turned = int(width // self.heads * c["rotary_pct"])
        self.freq = frequencies(turned, c["rotary_emb_base"], c.get("rope_scaling"))

    def forward(self, x):
        fused = self.attention.query_key_value(self.input_layernorm(x)).unflatten(2, (self.heads, -1))
        q, k, v = (part.transpose(1, 2) for part in fused.chunk(3, -1))
        y = self.attention.dense(attend(rotate(q, self.freq), rotate(k, self.freq), v, True))
        z = self.post_attention_layernorm(x if self.parallel else x + y)
        return x + y + self.mlp.dense_4h_to_h(self.act(self.mlp.dense_h_to_4h(z)))


class Neox(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["hidden_size"]
        self.gpt_neox = Module(
            embed_in=nn.Embedding(c["vocab_size"], width),
            layers=nn.Sequential(*(NeoxBlock(c) for _ in range(c["num_hidden_layers"]))),
            final_layer_norm=nn.LayerNorm(width, eps=c["layer_norm_eps"]),
        )
        self.embed_out = nn.Linear(width, c["vocab_size"], bias=False)

    def forward(self, ids):
        m = self.gpt_neox
        return {"logits": self.embed_out(m.final_layer_norm(m.layers(m.embed_in(ids))))}


class OldLayerNorm(nn.Module):
    """Layer norm with the names of weights that BERT's first checkpoints have"""

    def __init__(self, width, eps):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(width))
        self.beta = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.gamma, self.beta, self.eps)


class BertBlock(nn.Module):
    def __init__(self, c, norm):
        super().__init__()
        width, hidden, eps = c["hidden_size"], c["intermediate_size"], c["layer_norm_eps"]
        own = Module(query=nn.Linear(width, width), key=nn.Linear(width, width), value=nn.Linear(width, width))
        output = Module(dense=nn.Linear(width, width), LayerNorm=norm(width, eps=eps))
        self.attention = nn.Module()
        self.attention.add_module("self", own)
        self.attention.add_module("output", output)
        self.intermediate = Module(dense=nn.Linear(width, hidden))
        self.output = Module(dense=nn.Linear(hidden, width), LayerNorm=norm(width, eps=eps))
        self.heads, self.act = c["num_attention_heads"], ACTIVATIONS[c["hidden_act"]]

    def forward(self, x):
        a = getattr(self.attention, "self")
        q, k, v = (split_heads(part(x), self.heads) for part in (a.query, a.key, a.value))
        x = self.attention.output.LayerNorm(x + self.attention.output.dense(attend(q, k, v, False)))
        y = self.output.dense(self.act(self.intermediate.dense(x)))
        return self.output.LayerNorm(x + y)


class BertModel(nn.Module):
    def __init__(self, c, norm, pooled):
        super().__init__()
        width = c["hidden_size"]
        self.embeddings = Module(
            word_embeddings=nn.Embedding(c["vocab_size"], width),
            position_embeddings=nn.Embedding(c["max_position_embeddings"], width),
            token_type_embeddings=nn.Embedding(c["type_vocab_size"], width),
            LayerNorm=norm(width, eps=c["layer_norm_eps"]),
        )
        blocks = (BertBlock(c, norm) for _ in range(c["num_hidden_layers"]))
        self.encoder = Module(layer=nn.Sequential(*blocks))
        if pooled:
            self.pooler = Module(dense=nn.Linear(width, width))

    def forward(self, ids, kinds):
        e = self.embeddings
        x = e.word_embeddings(ids) + e.token_type_embeddings(kinds) + e.position_embeddings(torch.arange(LENGTH))
        x = self.encoder.layer(e.LayerNorm(x))
        outputs = {"hidden": x}
        if hasattr(self, "pooler"):
            outputs["pooled"] = torch.tanh(self.pooler.dense(x[:, 0]))
        return outputs


class BertPreTraining(nn.Module):
    """BertForPreTraining, with its old names; without the second head BertForMaskedLM"""

    def __init__(self, c, norm, following):
        super().__init__()
        width = c["hidden_size"]
        self.bert = BertModel(c, norm, following)
        self.cls = Module(
            predictions=Module(transform=Module(dense=nn.Linear(width, width), LayerNorm=norm(width, eps=c["layer_norm_eps"])))
        )
        self.cls.predictions.bias = nn.Parameter(torch.zeros(c["vocab_size"]))
        if following:
            self.cls.seq_relationship = nn.Linear(width, 2)

    def forward(self, ids, kinds):
        outputs = self.bert(ids, kinds)
        transform = self.cls.predictions.transform
        y = transform.LayerNorm(F.gelu(transform.dense(outputs["hidden"])))
        result = {"logits": F.linear(y, self.bert.embeddings.word_embeddings.weight, self.cls.predictions.bias)}
        if "pooled" in outputs:
            result["next"] = self.cls.seq_relationship(outputs["pooled"])
        return result


class BertClassifier(nn.Module):
    """BertForSequenceClassification, or BertForTokenClassification, which may have a pooler that it does not use"""

    def __init__(self, c, pooled, tokens):
        super().__init__()
        self.bert = BertModel(c, nn.LayerNorm, pooled)
        self.classifier = nn.Linear(c["hidden_size"], len(c["id2label"]))
        self.tokens = tokens

    def forward(self, ids, kinds):
        outputs = self.bert(ids, kinds)
        logits = self.classifier(outputs["hidden" if self.tokens else "pooled"])
        return {"logits": logits, **({"pooled": outputs["pooled"]} if self.tokens and "pooled" in outputs else {})}


class VitBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, hidden, eps = c["hidden_size"], c["intermediate_size"], c["layer_norm_eps"]
        linear = lambda: nn.Linear(width, width, bias=c["qkv_bias"])
        self.layernorm_before = nn.LayerNorm(width, eps=eps)
        self.attention = Module(
            attention=Module(query=linear(), key=linear(), value=linear()),
            output=Module(dense=nn.Linear(width, width)),
        )
        self.layernorm_after = nn.LayerNorm(width, eps=eps)
        self.intermediate = Module(dense=nn.Linear(width, hidden))
        self.output = Module(dense=nn.Linear(hidden, width))
        self.heads = c["num_attention_heads"]

    def forward(self, x):
        a, y = self.attention.attention, self.layernorm_before(x)
        q, k, v = (split_heads(part(y), self.heads) for part in (a.query, a.key, a.value))
        x = x + self.attention.output.dense(attend(q, k, v, False))
        return x + self.output.dense(F.gelu(self.intermediate.dense(self.layernorm_after(x))))


class VitModel(nn.Module):
    def __init__(self, c, pooled):
        super().__init__()
        width, patch = c["hidden_size"], c["patch_size"]
        self.embeddings = Module(
            patch_embeddings=Module(projection=nn.Conv2d(c["num_channels"], width, patch, patch))
        )
        self.embeddings.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.embeddings.position_embeddings = nn.Parameter(torch.zeros(1, 1 + (c["image_size"] // patch) ** 2, width))
        self.encoder = Module(layer=nn.Sequential(*(VitBlock(c) for _ in range(c["num_hidden_layers"]))))
        self.layernorm = nn.LayerNorm(width, eps=c["layer_norm_eps"])
        if pooled:
            self.pooler = Module(dense=nn.Linear(width, width))

    def forward(self, x):
        e = self.embeddings
        x = e.patch_embeddings.projection(x).flatten(2).transpose(1, 2)
        x = torch.cat([e.cls_token.expand(len(x), -1, -1), x], 1) + e.position_embeddings
        x = self.layernorm(self.encoder.layer(x))
        outputs = {"hidden": x}
        if hasattr(self, "pooler"):
            outputs["pooled"] = torch.tanh(self.pooler.dense(x[:, 0]))
        return outputs


class Vit(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.vit = VitModel(c, False)
        self.classifier = nn.Linear(c["hidden_size"], len(c["id2label"]))

    def forward(self, x):
        return {"logits": self.classifier(self.vit(x)["hidden"][:, 0])}


LLAMA = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 13,
    **model_configs.ENCODER,
    "num_key_value_heads": 2,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0,
}
SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
GPT2 = {
    **model_configs.GPT2,
    "n_inner": None,
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
}
NEOX = {
    **model_configs.NEOX,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "rotary_pct": 0.25,
    "rotary_emb_base": 100.0,
    "use_parallel_residual": True,
}
BERT = {
    "model_type": "bert",
    "vocab_size": 13,
    **model_configs.ENCODER,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 11,
    "type_vocab_size": 2,
}
VIT = {
    "model_type": "vit",
    **model_configs.ENCODER,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    **model_configs.IMAGES,
    "qkv_bias": True,
}
LABELS = {"id2label": {"0": "a", "1": "b", "2": "c"}}

MODELS = {
    "llama": (Llama, LLAMA, []),
    "llama, biases, heads of their own width, stretched": (
        Llama,
        {**LLAMA, "head_dim": 6, "attention_bias": True, "mlp_bias": True, "rope_scaling": SCALING, "rope_theta": 50.0},
        [],
    ),
    "llama, tied, new names": (
        Llama,
        {
            **{key: value for key, value in LLAMA.items() if key != "rope_theta"},
            "tie_word_embeddings": True,
            "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 100.0},
        },
        [],
    ),
    "llama, classifier": (
        LlamaClassifier,
        {**LLAMA, **LABELS, "architectures": ["LlamaForSequenceClassification"]},
        [],
    ),
    "mistral": (
        Llama,
        {**LLAMA, "model_type": "mistral", "architectures": ["MistralForCausalLM"], "sliding_window": 3},
        [],
    ),
    "qwen2": (
        Llama,
        {
            **LLAMA,
            "model_type": "qwen2",
            "architectures": ["Qwen2ForCausalLM"],
            "sliding_window": 3,
            "use_sliding_window": False,
            "tie_word_embeddings": True,
        },
        [],
    ),
    "qwen2, with a window from the second layer on": (
        Llama,
        {
            **LLAMA,
            "model_type": "qwen2",
            "architectures": ["Qwen2ForCausalLM"],
            "sliding_window": 3,
            "use_sliding_window": True,
            "max_window_layers": 1,
            "tie_word_embeddings": False,
        },
        [],
    ),
    "gpt2": (Gpt2, GPT2, []),
    "gpt2, as published": (lambda c: Gpt2Base(c, True), {**GPT2, "n_inner": 24}, [["h.0.attn.bias", [1, 1, 11, 11]]]),
    "gpt2, base": (lambda c: Gpt2Base(c, False), {**GPT2, "architectures": ["GPT2Model"]}, []),
    "gpt_neox": (Neox, NEOX, [["gpt_neox.layers.0.attention.bias", [1, 1, 11, 11]]]),
    "gpt_neox, one after the other": (
        Neox,
        {**NEOX, "use_parallel_residual": False, "attention_bias": False, "rotary_pct": 1.0},
        [],
    ),
    "bert, for words": (
        lambda c: BertPreTraining(c, nn.LayerNorm, False),
        {**BERT, "architectures": ["BertForMaskedLM"]},
        [["bert.embeddings.position_ids", [1, 11]]],
    ),
    "bert, as published": (
        lambda c: BertPreTraining(c, OldLayerNorm, True),
        {**BERT, "architectures": ["BertForMaskedLM"]},
        [],
    ),
    "bert, for texts": (lambda c: BertClassifier(c, True, False), {**BERT, **LABELS}, []),
    "bert, for tokens": (lambda c: BertClassifier(c, False, True), {**BERT, **LABELS}, []),
    "bert, for tokens, with a pooler left over": (
        lambda c: BertClassifier(c, True, True),
        {**BERT, **LABELS, "architectures": ["BertForTokenClassification"]},
        [],
    ),
    "bert, base": (lambda c: BertModel(c, nn.LayerNorm, True), {**BERT, "architectures": ["BertModel"]}, []),
    "vit": (Vit, {**VIT, **LABELS, "architectures": ["ViTForImageClassification"]}, []),
    "vit, base": (lambda c: VitModel(c, True), {**VIT, "qkv_bias": False, "architectures": ["ViTModel"]}, []),
}


def run(make, config):
    model = make(config).eval()
    weights = {}
    for index, (name, tensor) in enumerate(sorted(model.state_dict().items())):
        shape = list(tensor.shape)
        if len(shape) == 1:
            offset = 1.0 if name.endswith(("weight", "gamma")) else 0.0
            weights[name] = waves(shape, index + 1, 0.3, offset)
        else:
            weights[name] = waves(shape, index + 1, math.sqrt(2 / math.prod(shape[1:])))
    model.load_state_dict(weights)
    if config["model_type"] == "vit":
        inputs = [waves([EXAMPLES, config["num_channels"], config["image_size"], config["image_size"]], 0, 1.5)]
    else:
        ids = torch.tensor([(7 * i + 3) % config["vocab_size"] for i in range(EXAMPLES * LENGTH)])
        inputs = [ids.reshape(EXAMPLES, LENGTH)]
        if config["model_type"] == "bert":
            inputs.append(torch.tensor([(7 * i + 3) % 2 for i in range(EXAMPLES * LENGTH)]).reshape(EXAMPLES, LENGTH))
    with torch.no_grad():
        outputs = model(*inputs)
    return {name: list(w.shape) for name, w in weights.items()}, {
        name: [float(f"{v:.6g}") for v in value.double().flatten()] for name, value in outputs.items()
    }


def main():
    models = {}
    for name, (make, config, idle) in MODELS.items():
        tensors, outputs = run(make, config)
        models[name] = {"config": config, "tensors": tensors, "idle": dict(idle), "outputs": outputs}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}" for name, entry in models.items())
    (FOLDER / "models.json").write_text("{\n" + lines + "\n}\n")


main()
