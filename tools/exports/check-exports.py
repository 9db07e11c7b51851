"""Loads the permuted states that verify-exports.ts saved in PyTorch, and compares what modules compute with what they computed.

    python tools/exports/check-exports.py EXPORTS PERMUTED [--limit 1e-5]

EXPORTS is a folder of export-modules.py, PERMUTED that of `verify-exports.ts EXPORTS --save PERMUTED`. Every state is loaded with
strict=True into a module of modules.py; its output may differ from the original's by rounding only, relative to the largest element.
Prints a table by option, and says for how many modules the state differs from the original's at all. Exits with 1 if any is wrong.
"""

import argparse
import collections
import pathlib
import sys

import torch
from safetensors.torch import load_file

from modules import MODULES


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("exports", type=pathlib.Path)
    parser.add_argument("permuted", type=pathlib.Path)
    parser.add_argument("--limit", type=float, default=1e-5)
    arguments = parser.parse_args()
    table = collections.defaultdict(lambda: {"states": 0, "changed": 0, "wrong": 0, "worst": 0.0})
    for path in sorted(arguments.permuted.glob("*/*.safetensors")):
        name, option = path.parent.name, path.stem
        witness = load_file(arguments.exports / name / "witness.safetensors")
        example = MODULES[name]()
        permuted = load_file(path)
        example.module.load_state_dict(permuted, strict=True)
        with torch.no_grad():
            output = example.module.eval()(*example.inputs)
        error = ((output - witness["output"]).abs().max() / witness["output"].abs().max()).item()
        row = table[option]
        row["states"] += 1
        row["changed"] += any(not torch.equal(t, witness[f"state.{k}"]) for k, t in permuted.items())
        row["worst"] = max(row["worst"], error)
        if not error < arguments.limit:
            row["wrong"] += 1
            print(f"{name} {option}: differs by {error:.1e}")
    print(f"{'option':22}{'states':>8}{'permuted':>10}{'wrong':>7}{'worst':>10}")
    for option, row in table.items():
        print(f"{option:22}{row['states']:8}{row['changed']:10}{row['wrong']:7}{row['worst']:10.1e}")
    sys.exit(any(row["wrong"] for row in table.values()) or not table)


main()
