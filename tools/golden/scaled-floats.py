# Makes a small matrix, and the 8-bit floats and the scale as which PyTorch stores it.
#
#   python -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.15.0
#   /tmp/torch/bin/python tools/golden/scaled-floats.py
#
# `read` are the numbers that ComfyUI computes with: 8-bit floats times the scale, in bfloat16.
import json
from pathlib import Path

import torch

OUTPUT = Path(__file__).parents[2] / "packages/core/test-fixtures/formats/scaled-floats.json.golden"
torch.manual_seed(3)
weight = torch.randn(4, 6) * 3.7
scale = weight.abs().max() / 448
codes = (weight / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
read = (codes.float() * scale).bfloat16()
OUTPUT.write_text(
    json.dumps(
        {
            "shape": list(weight.shape),
            "weight": weight.flatten().tolist(),
            "scale": scale.item(),
            "codes": codes.view(torch.uint8).flatten().tolist(),
            "read": read.float().flatten().tolist(),
        }
    )
    + "\n"
)
