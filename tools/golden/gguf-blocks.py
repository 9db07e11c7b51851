# Makes the digests that blocks of GGUF are tested with: of what the gguf package reads from blocks of each type, and
# of what llama.cpp writes for numbers, without and with an importance matrix.
#
#   python -m venv /tmp/gguf && /tmp/gguf/bin/pip install numpy gguf==0.19.0 llama-cpp-python==0.3.36
#   /tmp/gguf/bin/python tools/golden/gguf-blocks.py
#
# The inputs are drawn by a generator of 32 bits that the test has, too, so that no file needs to hold them.
import ctypes
import hashlib
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import gguf
import numpy as np

OUTPUT = Path(__file__).parents[2] / "packages/core/test-fixtures/formats/gguf-blocks.json.golden"
LIBRARY = sys.argv[1] if len(sys.argv) > 1 else Path(find_spec("llama_cpp").origin).parent / "lib/libggml-base.so"
READ = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "IQ1_S",
        "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "TQ1_0", "TQ2_0", "MXFP4", "NVFP4"]
WRITTEN = READ[:12]
BLOCKS, ROWS, COLUMNS = 40, 64, 512


def bytes_from(seed, count):
    out, state = np.zeros(count, np.uint8), seed
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out[i] = state >> 24
    return out


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def half_fields(name, width):
    """Places of the upper bytes of the 16-bit floats of a block, whose bits are kept from infinity and NaN."""
    places = {"Q4_1": [1, 3], "Q5_1": [1, 3], "Q2_K": [81, 83], "Q3_K": [109], "Q4_K": [1, 3], "Q5_K": [1, 3],
              "Q6_K": [209], "TQ1_0": [53], "TQ2_0": [65], "IQ1_M": [55], "MXFP4": [], "NVFP4": []}
    return places.get(name, [1])


def numbers():
    """Rows of numbers that are about normal, of many magnitudes; one of zeros, one constant, one of few values."""
    drawn = bytes_from(7, 4 * ROWS * COLUMNS).reshape(ROWS, COLUMNS, 4).astype(np.float32)
    x = (drawn.sum(axis=-1) - 510) / 128
    x *= np.array([2.0 ** (k % 16 - 8) for k in range(ROWS)], np.float32)[:, None]
    x[3], x[4], x[5] = 0, -0.25, np.round(x[5] * 8) / 8
    x[6] = np.abs(x[6])
    x[7] *= x[8] * x[8]
    return x.astype(np.float32)


read = {}
for name in READ:
    kind = gguf.GGMLQuantizationType[name]
    _, width = gguf.GGML_QUANT_SIZES[kind]
    blocks = bytes_from(int(kind), BLOCKS * width).reshape(BLOCKS, width)
    for place in half_fields(name, width):
        blocks[:, place] &= 0xBB
    read[name] = digest(gguf.quants.dequantize(blocks, kind).astype(np.float32))

library = ctypes.CDLL(str(LIBRARY))
library.ggml_quantize_chunk.restype = ctypes.c_size_t
library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 3, ctypes.c_void_p]


def quantize(kind, x, importance):
    size, width = gguf.GGML_QUANT_SIZES[kind]
    out = np.zeros(x.size // size * width, np.uint8)
    weights = None if importance is None else importance.ctypes.data
    assert library.ggml_quantize_chunk(int(kind), x.ctypes.data, out.ctypes.data, 0, *x.shape, weights) == out.size
    return out


x, importance = numbers(), bytes_from(9, COLUMNS).astype(np.float32) / 16
written = {}
for name in WRITTEN:
    kind = gguf.GGMLQuantizationType[name]
    plain = quantize(kind, x, None)
    try:
        assert gguf.quants.quantize(x, kind).tobytes() == plain.tobytes(), name
    except NotImplementedError:
        pass  # The package has no encoder for K and IQ types.
    written[name] = {"plain": digest(plain), "weighted": digest(quantize(kind, x, importance))}

OUTPUT.write_text(json.dumps({"numbers": digest(x), "read": read, "written": written}, indent=1) + "\n")
