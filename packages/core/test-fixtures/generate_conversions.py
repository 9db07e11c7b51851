"""Writes conversions.json.golden: what PyTorch's float conversions give, as hashes and a few values.

Run with: python generate_conversions.py (the versions used are in the file it writes).
"""

import hashlib
import json
import pathlib

import numpy as np
import torch

TYPES = {
    "f16": (torch.float16, np.uint16, 0x7E00),
    "bf16": (torch.bfloat16, np.uint16, 0x7FC0),
    "f8e4m3": (torch.float8_e4m3fn, np.uint8, 0x7F),
    "f8e5m2": (torch.float8_e5m2, np.uint8, 0x7E),
}

# With these in the low half of every f32 high half, each tie of each type occurs, and its two neighbours.
LOWS = [k << 13 | low for k in range(8) for low in (0, 1, 0x0FFF, 0x1000, 0x1001, 0x1FFF)]


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def widened(dtype, unsigned):
    patterns = np.arange(2 ** (8 * unsigned().itemsize), dtype=np.uint32).astype(unsigned)
    values = torch.from_numpy(patterns.view(f"i{unsigned().itemsize}")).view(dtype).float().numpy()
    bits = values.view(np.uint32).copy()
    bits[np.isnan(values)] = 0x7FC00000
    return bits


def narrowed(values, dtype, unsigned, nan):
    rounded = torch.from_numpy(values).to(dtype)
    bits = rounded.view(torch.int16 if unsigned is np.uint16 else torch.uint8).numpy().view(unsigned).copy()
    bits[np.isnan(rounded.float().numpy())] = nan
    return bits


def main():
    highs = np.arange(65536, dtype=np.uint32)[:, None] << 16
    values = (highs | np.array(LOWS, dtype=np.uint32)).reshape(-1).view(np.float32)
    spots = np.array([0.1, -1 / 3, 3.14159274, 65519.996, 65520, 464, 464.00003, 1e-7, 2**-24, -1e30], np.float32)
    result = {"versions": {"torch": torch.__version__, "numpy": np.__version__}, "lows": LOWS, "types": {}}
    for name, (dtype, unsigned, nan) in TYPES.items():
        result["types"][name] = {
            "widened": digest(widened(dtype, unsigned)),
            "narrowed": digest(narrowed(values, dtype, unsigned, nan)),
            "spots": [[float(x), int(y)] for x, y in zip(spots, narrowed(spots, dtype, unsigned, nan))],
        }
    pathlib.Path(__file__).with_name("conversions.json.golden").write_text(json.dumps(result, indent=1) + "\n")


main()
