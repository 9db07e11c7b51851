"""DeepSeek's first mixture of experts as classes of transformers, which has none: Llama whose feed-forward networks are replaced, by Dai et al.,
DeepSeekMoE, 2024, equations 9 to 11, with weights normalised over the chosen experts as the published configs ask with norm_topk_prob."""

import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.activations import ACT2FN


class DeepseekConfig(LlamaConfig):
    model_type = "deepseek"
    n_routed_experts: int | None = None
    n_shared_experts: int | None = None
    num_experts_per_tok: int = 1
    moe_intermediate_size: int = 1407
    first_k_dense_replace: int = 0
    moe_layer_freq: int = 1
    norm_topk_prob: bool = False
    scoring_func: str = "softmax"


class Units(nn.Module):
    def __init__(self, config, width):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, width, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, width, bias=False)
        self.down_proj = nn.Linear(width, config.hidden_size, bias=False)
        self.act_fn = ACT2FN[config.hidden_act]

    def forward(self, rows):
        return self.down_proj(self.act_fn(self.gate_proj(rows)) * self.up_proj(rows))


class Mixture(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.active, self.normalized = config.num_experts_per_tok, config.norm_topk_prob
        self.gate = nn.Linear(config.hidden_size, config.n_routed_experts, bias=False)
        self.experts = nn.ModuleList(Units(config, config.moe_intermediate_size) for _ in range(config.n_routed_experts))
        if config.n_shared_experts:
            self.shared_experts = Units(config, config.n_shared_experts * config.moe_intermediate_size)

    def forward(self, rows):
        weights, chosen = self.gate(rows).softmax(-1).topk(self.active)
        if self.active > 1 and self.normalized:
            weights = weights / weights.sum(-1, keepdim=True)
        shares = torch.zeros(*rows.shape[:-1], len(self.experts)).scatter(-1, chosen, weights)
        mixed = sum(shares[..., i : i + 1] * expert(rows) for i, expert in enumerate(self.experts))
        return mixed + self.shared_experts(rows) if hasattr(self, "shared_experts") else mixed


class DeepseekForCausalLM(LlamaForCausalLM):
    config_class = DeepseekConfig

    def __init__(self, config):
        super().__init__(config)
        for index, layer in enumerate(self.model.layers):
            if index >= config.first_k_dense_replace and index % config.moe_layer_freq == 0:
                layer.mlp = Mixture(config)
