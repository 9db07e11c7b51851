# Makes small weights quantised as bitsandbytes, GPTQ, AWQ, compressed-tensors and gpt-oss store them, with the numbers that their own
# programs read from them.
#
#   python -m venv /tmp/quant && /tmp/quant/bin/pip install torch transformers==5.24.0 bitsandbytes==0.50.2 compressed-tensors==0.20.1 loguru && /tmp/quant/bin/pip install --no-deps autoawq==0.2.9 auto-gptq==0.7.1
#   /tmp/quant/bin/python tools/golden/quantized-weights.py
#
# bitsandbytes, compressed-tensors, AutoAWQ and transformers (MXFP4) compute their numbers. Weights of GPTQ are packed here bit by bit and
# read by the formula scales * (integers - zeros) in the type of the scales, which AutoGPTQ confirms for all but the second form and the
# order of activations.
import base64
import importlib.util
import json
from pathlib import Path

import bitsandbytes.functional as bnb
import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from bitsandbytes.backends.utils import _get_4bit_code
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import dequantize
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

OUTPUT = Path(__file__).parents[2] / "packages/core/test-fixtures/formats/quantized.json.golden"
TYPES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.uint8: "u8", torch.int8: "i8", torch.int32: "i32", torch.int64: "i64"}
torch.manual_seed(7)


def load(package, path):
    """Loads one file of a package whose other files need old versions of transformers."""
    folder = Path(importlib.util.find_spec(package).submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location(Path(path).stem, folder / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_gptq(parts, read, bits, group):
    """Compares with a layer of AutoGPTQ, which gives its weight if it is applied to the identity."""
    outputs, inputs = read.shape
    layer = load("auto_gptq", "nn_modules/qlinear/qlinear_cuda_old.py").QuantLinear(bits, group, inputs, outputs, False)
    layer.autogptq_cuda_available = False
    for key, part in parts.items():
        setattr(layer, key.split(".")[1], part)
    assert torch.equal(layer(torch.eye(inputs).to(read.dtype)).T, read)


def stored(tensor):
    tensor = tensor.detach().contiguous()
    data = base64.b64encode(tensor.reshape(-1).view(torch.uint8).numpy().tobytes()).decode()
    return {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data": data}


def case(parts, read, form, name="x.weight", config=None):
    return {"tensors": {key: stored(part) for key, part in parts.items()}, "name": name, "read": stored(read), "stored": form,
            **({} if config is None else {"config": config})}


def four_bits(kind, dtype, nested, shape, block):
    weight = torch.randn(shape).to(dtype)
    packed, state = bnb.quantize_4bit(weight, quant_type=kind, compress_statistics=nested, blocksize=block)
    parts = {"x.weight": packed, **{f"x.weight.{key}": part for key, part in state.as_dict(packed=True).items()}}
    # The CPU kernel of bitsandbytes 0.50.2 takes wrong scales if blocks end inside rows: the default backend is what GPUs compute.
    absmax = state.absmax if not nested else bnb.dequantize_blockwise(state.absmax, state.state2) + state.offset
    read = _dequantize_4bit_compute(packed.reshape(-1), absmax, _get_4bit_code(kind, packed.device), block, shape, dtype)
    assert shape[-1] % block != 0 or torch.equal(read, bnb.dequantize_4bit(packed, state))
    form = f"{kind}, blocks of {block}" + (", scales of 8 bits" if nested else "")
    return case(parts, read, form)


def eight_bits():
    integers, scales, _ = bnb.int8_vectorwise_quant(torch.randn(6, 16).half())
    read = bnb.int8_vectorwise_dequant(integers, scales).to(torch.bfloat16)
    parts = {"x.weight": integers, "x.SCB": scales, "x.weight_format": torch.zeros((), dtype=torch.uint8)}
    return case(parts, read, "int8 with a scale a row (bitsandbytes)")


def pack_rows(integers, bits):
    """Packs along the first axis as AutoGPTQ does, bit by bit."""
    rows, columns = integers.shape
    words = torch.zeros(-(-rows * bits // 32), columns, dtype=torch.int64)
    for row in range(rows):
        for bit in range(bits):
            place = row * bits + bit
            words[place // 32] |= ((integers[row].long() >> bit) & 1) << (place % 32)
    return torch.where(words >= 2**31, words - 2**32, words).int()


def gptq(bits, inputs, outputs, group, dtype=torch.float16, order=False, version=1, index=True):
    groups = inputs // group
    integers = torch.randint(0, 2**bits, (inputs, outputs))
    zeros = torch.randint(1, 2**bits, (groups, outputs))
    scales = (torch.rand(groups, outputs) * 0.02 + 0.001).to(dtype)
    g_idx = torch.arange(inputs) // group
    if order:
        g_idx = g_idx[torch.randperm(inputs)]
    parts = {"x.qweight": pack_rows(integers, bits), "x.qzeros": pack_rows((zeros - int(version == 1)).T, bits).T, "x.scales": scales}
    if index:
        parts["x.g_idx"] = g_idx.int()
    read = (scales[g_idx] * (integers - zeros[g_idx])).T
    if not order and version == 1:
        check_gptq(parts, read, bits, group)
    config = {"quant_method": "gptq", "bits": bits, "group_size": group, "desc_act": order,
              "checkpoint_format": "gptq" if version == 1 else "gptq_v2"}
    return case(parts, read, f"GPTQ {bits} bits, " + ("one group" if groups == 1 else f"groups of {group}"), config=config)


def awq(inputs, outputs, group):
    groups = inputs // group
    integers, zeros = torch.randint(0, 16, (inputs, outputs)), torch.randint(0, 16, (groups, outputs))
    scales = (torch.rand(groups, outputs) * 0.02 + 0.001).half()

    def pack(matrix):
        words = torch.zeros(matrix.shape[0], outputs // 8, dtype=torch.int64)
        for column in range(outputs // 8):
            for place, source in enumerate([0, 2, 4, 6, 1, 3, 5, 7]):
                words[:, column] |= matrix[:, column * 8 + source].long() << (place * 4)
        return torch.where(words >= 2**31, words - 2**32, words).int()

    parts = {"x.qweight": pack(integers), "x.qzeros": pack(zeros), "x.scales": scales}
    read = load("awq", "utils/packing_utils.py").dequantize_gemm(parts["x.qweight"], parts["x.qzeros"], scales, 4, group).T
    config = {"quant_method": "awq", "bits": 4, "group_size": group, "version": "gemm", "zero_point": True}
    return case(parts, read, f"AWQ 4 bits, groups of {group}", config=config)


def compressed(bits, outputs, inputs, group, dtype, symmetric, packed):
    half = 2 ** (bits - 1)
    groups = 1 if group is None else inputs // group
    integers = torch.randint(-half, half, (outputs, inputs), dtype=torch.int8)
    scales = (torch.rand(outputs, groups) * 0.02 + 0.001).to(dtype)
    zeros = None if symmetric else torch.randint(-half, half, (outputs, groups), dtype=torch.int8)
    args = QuantizationArgs(num_bits=bits, symmetric=symmetric, strategy="channel" if group is None else "group", group_size=group)
    read = dequantize(integers, scales, zeros, args=args)
    parts = {"x.weight_scale": scales}
    if packed:
        parts |= {"x.weight_packed": pack_to_int32(integers, bits), "x.weight_shape": torch.tensor([outputs, inputs])}
    else:
        parts["x.weight"] = integers
    if zeros is not None:
        parts["x.weight_zero_point"] = pack_to_int32(zeros, bits, packed_dim=0) if packed else zeros
    return case(parts, read, f"compressed-tensors {bits} bits, " + ("one group" if groups == 1 else f"groups of {group}"))


def mxfp4():
    blocks = torch.randint(0, 256, (2, 3, 2, 16), dtype=torch.uint8)
    scales = torch.randint(100, 140, (2, 3, 2), dtype=torch.uint8)
    return case({"e.gate_up_proj_blocks": blocks, "e.gate_up_proj_scales": scales}, convert_moe_packed_tensors(blocks, scales),
                "MXFP4", "e.gate_up_proj")


CASES = {
    "nf4 of bf16": four_bits("nf4", torch.bfloat16, False, (4, 32), 64),
    "nf4 of f16, double": four_bits("nf4", torch.float16, True, (6, 64), 64),
    "fp4 of f32": four_bits("fp4", torch.float32, False, (4, 32), 64),
    "fp4 of bf16, double, part of a block": four_bits("fp4", torch.bfloat16, True, (3, 50), 64),
    "int8": eight_bits(),
    "GPTQ 2": gptq(2, 32, 16, 16),
    "GPTQ 3, order of activations": gptq(3, 64, 32, 32, order=True),
    "GPTQ 4, bf16": gptq(4, 32, 8, 16, dtype=torch.bfloat16),
    "GPTQ 4, second form, order of activations": gptq(4, 32, 8, 8, order=True, version=2),
    "GPTQ 8, no index": gptq(8, 16, 8, 8, index=False),
    "AWQ": awq(32, 16, 16),
    "packed integers": compressed(4, 4, 32, 16, torch.bfloat16, True, True),
    "packed integers with zeros": compressed(4, 8, 32, 16, torch.float16, False, True),
    "packed bytes by row": compressed(8, 3, 10, None, torch.bfloat16, True, True),
    "plain bytes": compressed(8, 4, 16, None, torch.bfloat16, True, False),
    "plain bytes with zeros": compressed(8, 4, 16, None, torch.float32, False, False),
    "MXFP4": mxfp4(),
}
OUTPUT.write_text("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in CASES.items()) + "\n}\n")
