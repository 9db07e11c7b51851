# Makes the files that readers of formats are tested with, by the reference libraries of the formats.
#
#   python -m venv /tmp/formats && /tmp/formats/bin/pip install numpy gguf==0.19.0 onnx ml_dtypes
#   /tmp/formats/bin/python tools/golden/formats.py
#
# Every file NAME has its expected tensors, as hexadecimal bytes in row-major order, in expected.json.golden.
import json
import zipfile
from pathlib import Path

import gguf
import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parents[2] / "packages/core/test-fixtures/formats"
rng = np.random.default_rng(20261126)
expected = {}
NAMES = {
    "float64": "f64", "float32": "f32", "float16": "f16", "bfloat16": "bf16", "int64": "i64", "int32": "i32",
    "int16": "i16", "int8": "i8", "uint64": "u64", "uint32": "u32", "uint16": "u16", "uint8": "u8", "bool": "bool",
}


def expect(file, tensors):
    expected[file] = {
        name: {"dtype": NAMES[array.dtype.name], "shape": list(array.shape),
               "bytes": np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes().hex()}
        for name, array in tensors.items()
    }


def arrays():
    return {
        "f2": rng.standard_normal((2, 3)).astype(np.float16),
        "f4": rng.standard_normal((3, 4)).astype(np.float32),
        "f8": rng.standard_normal((5,)),
        "i1": np.array([[-128], [127]], np.int8),
        "i8": np.array([-(2**63), 2**63 - 1]),
        "u2": np.arange(4, dtype=np.uint16).reshape(2, 2),
        "u8": np.array([2**64 - 1], np.uint64),
        "bool": np.array([True, False, True]),
        "scalar": np.float32(1.5).reshape(()),
        "empty": np.zeros((0, 3), np.float32),
        "fortran": np.asfortranarray(rng.standard_normal((2, 3, 4)).astype(np.float32)),
        "big": rng.standard_normal((2, 2)).astype(">f4"),
        "big.fortran": np.asfortranarray(rng.standard_normal((2, 3)).astype(">f8")),
        "layer/0/weight": rng.standard_normal((40, 40)).astype(np.float32),
    }


def make_npz():
    for name, save in [("stored.npz", np.savez), ("deflated.npz", np.savez_compressed)]:
        tensors = arrays()
        save(FOLDER / name, **tensors)
        expect(name, tensors)
    # The sizes, places and count of an archive of more than 4 GB, in one of a few kB.
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 60, 1
    tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(300, dtype=np.int16)}
    np.savez(FOLDER / "zip64.npz", **tensors)
    expect("zip64.npz", tensors)
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 2**31 - 1, 2**16 - 1


def half_fields(name):
    """Places of the 16-bit floats of a block."""
    return {"Q4_1": [0, 2], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2],
            "Q6_K": [208]}.get(name, [0])


def make_gguf():
    writer = gguf.GGUFWriter(FOLDER / "quants.gguf", "llama")
    writer.add_name("small")
    writer.add_uint8("t.u8", 255)
    writer.add_int8("t.i8", -128)
    writer.add_uint16("t.u16", 65535)
    writer.add_int16("t.i16", -32768)
    writer.add_uint32("llama.block_count", 32)
    writer.add_int32("t.i32", -5)
    writer.add_float32("t.f32", 1e-5)
    writer.add_float64("t.f64", 0.1)
    writer.add_uint64("t.u64", 2**64 - 1)
    writer.add_int64("t.i64", -(2**63))
    writer.add_bool("t.bool", True)
    writer.add_array("tokenizer.ggml.tokens", ["<s>", "Ġhello", "\n\""])
    writer.add_array("tokenizer.ggml.scores", [0.5, -1.25, float("-inf")])
    tensors = {}
    for name in ["F32", "F16", "BF16", "F64", "I8", "I16", "I32", "I64"]:
        dtype = ml_dtypes.bfloat16 if name == "BF16" else np.dtype(name.lower().replace("f", "float").replace("i", "int"))
        tensors[name] = (rng.standard_normal((2, 3, 4)) * 20).astype(dtype)
        if name == "BF16":
            writer.add_tensor(name, tensors[name].view(np.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)
        else:
            writer.add_tensor(name, tensors[name])
    for name in ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"]:
        kind = gguf.GGMLQuantizationType[name]
        size, width = gguf.GGML_QUANT_SIZES[kind]
        blocks = rng.integers(0, 256, (3 * (512 // size), width), dtype=np.uint8)
        for at in half_fields(name):
            scales = (rng.standard_normal(len(blocks)) * 0.01).astype(np.float16)
            blocks[:, at:at + 2] = scales.view(np.uint8).reshape(-1, 2)
        data = blocks.reshape(3, -1)
        writer.add_tensor(name, data, raw_dtype=kind)
        tensors[name] = gguf.quants.dequantize(data, kind).astype(np.float32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    digest = {name: array for name, array in tensors.items()}
    # Numbers of quantised types are many: they are kept in an archive that another test reads.
    quantised = {name: digest.pop(name) for name in list(digest) if digest[name].shape == (3, 512)}
    np.savez_compressed(FOLDER / "quants-expected.npz", **quantised)
    expect("quants.gguf", digest)
    # What Q8_0 of the reference is of these numbers.
    numbers = (rng.standard_normal((4, 64)) * np.array([[1], [1e-3], [30], [0]])).astype(np.float32)
    q8 = gguf.quants.quantize(numbers, gguf.GGMLQuantizationType.Q8_0)
    expected["q8_0"] = {"numbers": numbers.tobytes().hex(), "blocks": q8.tobytes().hex()}


def make_onnx():
    f16 = rng.standard_normal((2, 2)).astype(np.float16)
    tensors = {
        "raw": rng.standard_normal((3, 4)).astype(np.float32),
        "float_data": rng.standard_normal((2, 3)).astype(np.float32),
        "double_data": rng.standard_normal((2,)),
        "f16_as_int32": f16,
        "int64_data": np.array([-1, 2**62, 0]),
        "int32_data": np.array([-7, 7], np.int8),
        "uint64_data": np.array([2**64 - 1, 1], np.uint64),
        "bool": np.array([True, False]),
        "scalar": np.float32(2.5).reshape(()),
        "bf16": rng.standard_normal((3,)).astype(ml_dtypes.bfloat16),
        "external": rng.standard_normal((5, 2)).astype(np.float32),
        "external_second": np.arange(5),
    }
    made = [
        numpy_helper.from_array(tensors["raw"], "raw"),
        helper.make_tensor("float_data", TensorProto.FLOAT, [2, 3], tensors["float_data"].ravel()),
        helper.make_tensor("double_data", TensorProto.DOUBLE, [2], tensors["double_data"]),
        TensorProto(name="f16_as_int32", dims=[2, 2], data_type=TensorProto.FLOAT16,
                    int32_data=f16.view(np.uint16).ravel().tolist()),
        helper.make_tensor("int64_data", TensorProto.INT64, [3], tensors["int64_data"]),
        helper.make_tensor("int32_data", TensorProto.INT8, [2], tensors["int32_data"]),
        helper.make_tensor("uint64_data", TensorProto.UINT64, [2], tensors["uint64_data"]),
        helper.make_tensor("bool", TensorProto.BOOL, [2], tensors["bool"]),
        numpy_helper.from_array(tensors["scalar"], "scalar"),
        TensorProto(name="bf16", dims=[3], data_type=TensorProto.BFLOAT16, raw_data=tensors["bf16"].tobytes()),
    ]
    place = 0
    with open(FOLDER / "weights.onnx.data", "wb") as file:
        for name in ["external", "external_second"]:
            tensor = numpy_helper.from_array(tensors[name], name)
            onnx.external_data_helper.set_external_data(tensor, "weights.onnx.data", place, len(tensor.raw_data))
            place += file.write(tensor.raw_data)
            tensor.ClearField("raw_data")
            made.append(tensor)
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 4])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 4])
    graph = helper.make_graph([helper.make_node("Add", ["x", "raw"], ["y"])], "g", [value], [output], made)
    model = helper.make_model(graph, producer_name="golden", opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, {"note": "kept"})
    (FOLDER / "weights.onnx").write_bytes(model.SerializeToString())
    expect("weights.onnx", tensors)


def make_fp8():
    def fp8(shape, kind=ml_dtypes.float8_e4m3fn):
        return (rng.standard_normal(shape) * 8).astype(kind)

    def by_blocks(weight, scales):
        wide = np.repeat(np.repeat(scales, 128, -2), 128, -1)[..., :weight.shape[-2], :weight.shape[-1]]
        return (weight.astype(np.float32) * wide).astype(ml_dtypes.bfloat16)

    scale = lambda shape: (rng.random(shape) * 1e-3 + 1e-4).astype(np.float32)
    file, meaning = {}, {}
    for name, shape, grid in [("blocks", (130, 260), (2, 3)), ("experts", (2, 129, 8), (2, 2, 1))]:
        file[f"{name}.weight"], file[f"{name}.weight_scale_inv"] = fp8(shape), scale(grid)
        meaning[f"{name}.weight"] = by_blocks(file[f"{name}.weight"], file[f"{name}.weight_scale_inv"])
    for name, shape, kind in [("tensor", (), ml_dtypes.float8_e5m2), ("rows", (5, 1), ml_dtypes.float8_e4m3fn)]:
        weight = file[f"{name}.weight"] = fp8((5, 7), kind)
        scales = scale(shape).astype(ml_dtypes.bfloat16)
        file[f"{name}.weight_scale"] = scales
        meaning[f"{name}.weight"] = (weight.astype(np.float32) * scales.astype(np.float32)).astype(ml_dtypes.bfloat16)
    file["norm.weight"] = meaning["norm.weight"] = rng.standard_normal(3).astype(np.float32)
    types = {"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float32": "F32", "bfloat16": "BF16"}
    header, body = {}, b""
    for name, array in file.items():
        header[name] = {"dtype": types[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [len(body), len(body) + array.nbytes]}
        body += array.tobytes()
    text = json.dumps(header).encode()
    (FOLDER / "fp8.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + body)
    expect("fp8.safetensors", {name: array for name, array in meaning.items() if name != "blocks.weight"})
    np.savez_compressed(FOLDER / "fp8-expected.npz", **{"blocks.weight": meaning["blocks.weight"].view(np.uint16)})


FOLDER.mkdir(parents=True, exist_ok=True)
make_npz()
make_gguf()
make_onnx()
make_fp8()
(FOLDER / "expected.json.golden").write_text(json.dumps(expected, indent=1) + "\n")
