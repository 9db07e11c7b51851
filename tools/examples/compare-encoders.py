"""Compares sentence encoders: cosines of some sentences, and how often the right text of a pair is the nearest.

    python tools/examples/compare-encoders.py FILE DIRECTORY... [--onnx]

The pairs are those that `fine-tune-encoder.py` left out, of Python's standard library and of FILE. With --onnx
the last directory is also exported to ONNX, in its folder `onnx`, run by onnxruntime, and compared.
"""

import argparse
import importlib
from pathlib import Path

import torch
import transformers

fine_tune = importlib.import_module("fine-tune-encoder")
SENTENCES = [
    ("A man is eating food.", "Someone has a meal."),
    ("A man is eating food.", "The stock market fell."),
    ("How do I sort a list?", "Return a new sorted list from the items."),
    ("To be, or not to be,", "that is the question"),
]


class Hidden(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state


def hits(model, tokenizer, pairs):
    a, b = (fine_tune.embed(model, tokenizer, list(texts)) for texts in zip(*pairs))
    return ((a @ b.T).argmax(1) == torch.arange(len(pairs))).float().mean().item()


def run_onnx(model, tokenizer, folder):
    import onnxruntime

    folder.mkdir(exist_ok=True)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    texts = [text for pair in SENTENCES for text in pair]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    axes = {name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]}
    torch.onnx.export(
        Hidden(model).eval(),
        tuple(batch[name] for name in names),
        folder / "model.onnx",
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_axes=axes,
        dynamo=False,
    )
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    (hidden,) = session.run(None, {name: batch[name].numpy() for name in names})
    difference = (torch.from_numpy(hidden) - model(**batch).last_hidden_state).abs().max().item()
    print(f"onnxruntime: largest difference to PyTorch {difference:.1e}")


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("directories", nargs="+", type=Path)
    parser.add_argument("--onnx", action="store_true")
    options = parser.parse_args()
    columns = []
    for directory in options.directories:
        model = transformers.AutoModel.from_pretrained(directory, dtype=torch.float32).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
        # A network without the new token is asked without it.
        token = "[API]" if "[API]" in tokenizer.get_vocab() else ""
        cosines = [(x * y).sum().item() for x, y in (fine_tune.embed(model, tokenizer, list(p)) for p in SENTENCES)]
        tasks = [fine_tune.load_pairs("python", token)[1][:300], fine_tune.load_pairs(options.file)[1][:300]]
        columns.append(cosines + [hits(model, tokenizer, pairs) for pairs in tasks])
    print("| | " + " | ".join(d.name for d in options.directories) + " |")
    print("|---|" + "---|" * len(options.directories))
    labels = [f"cos({a} / {b})" for a, b in SENTENCES] + ["nearest is right, python", "nearest is right, lines"]
    for label, *values in zip(labels, *columns):
        print(f"| {label} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    if options.onnx:
        run_onnx(model, tokenizer, options.directories[-1] / "onnx")


if __name__ == "__main__":
    main()
