"""Fine-tunes a language model by LoRA in a federation: clients send adapters of a few megabytes, of any rank.

    python federated_lora.py start MODEL --rank 16 --alpha 16 -o start.safetensors      # once, for the server
    python federated_lora.py join MODEL text.txt URL anna.token --rank 8 --alpha 16     # each client

The server's file names the adapter that the federation begins with, and alpha, by which ranks are compared:

    network: start.safetensors
    rounds: 10
    quorum: 2
    strategy: { adapters: { alpha: 16 } }
    training: { epochs: 1, batch: 8, optimizer: adamw, learningRate: 0.001 }

MODEL is a folder or a name of the Hugging Face hub. The last line that a client prints is its loss after the federation.
"""

import argparse

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

import isthmus

LENGTH = 64


def open_model(name: str, rank: int, alpha: int) -> torch.nn.Module:
    """Opens a model with new adapters on all its linear layers; B is zeros, so that it computes what it did."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(name)
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, config)


def read_windows(name: str, path: str) -> torch.Tensor:
    """Reads a text as windows of tokens, `[windows, LENGTH]`."""
    with open(path, encoding="utf-8") as file:
        tokens = AutoTokenizer.from_pretrained(name)(file.read(), return_tensors="pt")["input_ids"][0]
    return tokens[: len(tokens) // LENGTH * LENGTH].view(-1, LENGTH)


def loss_of(model: torch.nn.Module, windows: torch.Tensor) -> float:
    model.eval()
    with torch.no_grad():
        losses = [model(input_ids=part, labels=part).loss * len(part) for part in windows.split(16)]
    model.train()
    return float(sum(losses) / len(windows))


def join(model: torch.nn.Module, windows: torch.Tensor, url: str, token: str) -> None:
    def fit(model, task):
        before = loss_of(model, windows)
        advice = task.training
        optimizer = torch.optim.AdamW(
            (parameter for parameter in model.parameters() if parameter.requires_grad),
            lr=advice["learningRate"] or 0.001,
        )
        for _ in range(advice["epochs"]):
            for part in windows[torch.randperm(len(windows))].split(advice["batch"] or 8):
                optimizer.zero_grad()
                model(input_ids=part, labels=part).loss.backward()
                optimizer.step()
        return len(windows), before

    isthmus.federate(url, token, model, fit)
    print(f"{loss_of(model, windows):.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["start", "join"])
    parser.add_argument("model")
    parser.add_argument("more", nargs="*", help="of join: text, address of the server, file of the token")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--alpha", type=int, default=16)
    parser.add_argument("-o", "--output", default="start.safetensors")
    options = parser.parse_args()
    opened = open_model(options.model, options.rank, options.alpha)
    if options.task == "start":
        save_file(get_peft_model_state_dict(opened), options.output)
    else:
        text, address, token_file = options.more
        with open(token_file) as opened_token:
            join(opened, read_windows(options.model, text), address, opened_token.read())
