# Makes golden values of healing with PyTorch and transformers, in f64: the divergence from a teacher with its gradient, and
# a few steps of distillation from two experts in turn, of a small MLP, of a small Llama, and of a small Mixtral by Llamas, with
# its first gradients.
#
#   pip install torch transformers
#   python tools/golden/healing.py > packages/merge-learning/test/golden/healing.json
#
# Batches hold all examples of an expert, so that their order does not matter.
import json
import math

import torch
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM, MixtralConfig, MixtralForCausalLM

torch.set_default_dtype(torch.float64)
STEPS, RATE = 6, 0.01


def waves(shape, seed, scale, offset=0.0):
    """offset + scale sin(0.01 (i + 1)^2 + seed), rounded to f32, as test/helpers/waves.ts has it."""
    count = math.prod(shape)
    values = [offset + scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(count)]
    return torch.tensor(values, dtype=torch.float32).double().reshape(shape)


def divergence(student, teacher, temperature):
    """The divergence of each prediction."""
    return (
        F.kl_div(
            F.log_softmax(student / temperature, -1), F.log_softmax(teacher / temperature, -1), reduction="none", log_target=True
        ).sum(-1)
        * temperature**2
    )


def losses():
    for shape, temperature, weights in [([4, 5], 1.0, None), ([4, 5], 2.5, None), ([3, 4, 5], 2.0, [1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0])]:
        student = waves(shape, 1, 3).requires_grad_()
        each = divergence(student, waves(shape, 2, 3), temperature)
        # PyTorch's own mean over a batch, where there is one.
        if weights is None:
            loss = F.kl_div(
                F.log_softmax(student / temperature, -1), F.softmax(waves(shape, 2, 3) / temperature, -1), reduction="batchmean"
            ) * temperature**2
            assert torch.allclose(loss, each.mean())
        else:
            counts = torch.tensor(weights, dtype=torch.float64).reshape(shape[:-1])
            loss = (each * counts).sum() / counts.sum()
        loss.backward()
        yield {
            "shape": shape, "temperature": temperature, "weights": weights,
            "value": loss.item(), "gradient": student.grad.flatten().tolist(),
        }


def distill(student, experts, inputs, answer, temperature):
    """Steps of AdamW along half a cosine, on the experts in turn; returns the losses."""
    # Biases and scales do not decay.
    groups = [
        {"params": [p for p in student.parameters() if (p.dim() > 1) == decays], "weight_decay": 0.01 * decays}
        for decays in (True, False)
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    found = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 + math.cos(math.pi * step / STEPS)) / 2
        expert, x = experts[step % len(experts)], inputs[step % len(experts)]
        with torch.no_grad():
            target = answer(expert, x)
        loss = divergence(answer(student, x), target, temperature).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def mlp(seed):
    network = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3))
    with torch.no_grad():
        for k, parameter in enumerate(network.parameters()):
            parameter.copy_(waves(list(parameter.shape), seed + k, 0.8))
    return network


CONFIG = {
    "vocab_size": 7, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "max_position_embeddings": 16, "tie_word_embeddings": False, "rms_norm_eps": 1e-6,
}


def llama(seed):
    network = LlamaForCausalLM(LlamaConfig(**CONFIG, attn_implementation="eager")).double()
    with torch.no_grad():
        for k, (name, parameter) in enumerate(sorted(network.named_parameters())):
            parameter.copy_(waves(list(parameter.shape), seed + k, 0.5, 1.0 if "norm" in name else 0.0))
    return network


EXPERTS, ROTARY = 3, {"rope_type": "default", "rope_theta": 10000.0}
MOE = "model.layers.{}.block_sparse_moe"


def mixtral_weights(seed):
    """Weights under the names of published checkpoints."""
    shapes = {name: list(p.shape) for name, p in llama(0).named_parameters() if ".mlp." not in name}
    width, hidden = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    for layer in range(CONFIG["num_hidden_layers"]):
        shapes[f"{MOE.format(layer)}.gate.weight"] = [EXPERTS, width]
        for i in range(EXPERTS):
            for part in ("w1", "w3", "w2"):
                shapes[f"{MOE.format(layer)}.experts.{i}.{part}.weight"] = [width, hidden] if part == "w2" else [hidden, width]
    return {n: waves(shapes[n], seed + k, 0.5, 1.0 if "norm" in n else 0.0) for k, n in enumerate(sorted(shapes))}


def mixtral(active, seed):
    config = MixtralConfig(**CONFIG, rope_parameters=ROTARY, num_local_experts=EXPERTS, num_experts_per_tok=active, attn_implementation="eager",
                           experts_implementation="eager")
    network, weights = MixtralForCausalLM(config).double(), mixtral_weights(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            layer = name.split(".")[2] if ".mlp." in name else None
            part = lambda i, w: weights[f"{MOE.format(layer)}.experts.{i}.{w}.weight"]
            if name.endswith("gate_up_proj"):
                value = torch.stack([torch.cat([part(i, "w1"), part(i, "w3")]) for i in range(EXPERTS)])
            elif name.endswith("down_proj"):
                value = torch.stack([part(i, "w2") for i in range(EXPERTS)])
            else:
                value = weights[name.replace(".mlp.", ".block_sparse_moe.")]
            parameter.copy_(value)
    return network


def mixtral_values(active):
    """The gradients of the first step, and the steps, on the Llamas as experts."""
    student, experts = mixtral(active, 1), [llama(100), llama(200)]
    answer = lambda n, x: n(input_ids=x).logits
    divergence(answer(student, rows(tokens(1))), answer(experts[0], rows(tokens(1))).detach(), 1.0).mean().backward()
    parameters = dict(student.named_parameters())
    gate, units = parameters["model.layers.0.mlp.gate.weight"], parameters["model.layers.0.mlp.experts.gate_up_proj"]
    gradients = {
        MOE.format(0) + ".gate.weight": gate.grad.flatten().tolist(),
        **{f"{MOE.format(0)}.experts.{i}.w1.weight": units.grad[i, : CONFIG["intermediate_size"]].flatten().tolist() for i in range(EXPERTS)},
    }
    found = distill(student, experts, [rows(tokens(1)), rows(tokens(2))], answer, 1.0)
    weights = {MOE.format(0) + ".gate.weight": gate.flatten().tolist()}
    return {"active": active, "gradients": gradients, "losses": found, "weights": weights}


def tokens(seed):
    return [(i * i * (seed + 2) + 3 * i + seed) % 7 for i in range(23)]


def rows(ids, length=6):
    return torch.tensor([ids[i : i + length] for i in range(0, len(ids) - length, length - 1)])


def trained(student, found, names):
    parameters = dict(student.named_parameters())
    return {"losses": found, "weights": {name: parameters[name].flatten().tolist() for name in names}}


student = mlp(1)
found = distill(student, [mlp(11), mlp(21)], [waves([6, 5], 31, 1.5), waves([6, 5], 41, 1.5)], lambda n, x: n(x), 2.0)
small = trained(student, found, ["0.weight", "0.bias", "2.weight", "2.bias"])
student = llama(1)
inputs = [rows(tokens(1)), rows(tokens(2))]
found = distill(student, [llama(100), llama(200)], inputs, lambda n, x: n(input_ids=x).logits, 1.0)
names = ["lm_head.weight", "model.layers.1.self_attn.k_proj.weight", "model.norm.weight"]
print(
    json.dumps(
        {
            "losses": list(losses()),
            "steps": STEPS, "learningRate": RATE,
            "mlp": small,
            "mixtral": {
                "config": {
                    "model_type": "mixtral", "architectures": ["MixtralForCausalLM"], **CONFIG, "num_local_experts": EXPERTS, "rope_theta": 10000.0,
                },
                "cases": [mixtral_values(1), mixtral_values(2)],
            },
            "llama": {"config": {"model_type": "llama", "architectures": ["LlamaForCausalLM"], **CONFIG}, **trained(student, found, names)},
        }
    )
)
