# Makes the types that llama.cpp gives to the tensors of small models, for each quantisation. Models of the attributes below, with random
# weights, are written by the gguf package and quantised by llama.cpp.
#
#   python -m venv /tmp/gguf && /tmp/gguf/bin/pip install numpy gguf==0.19.0 llama-cpp-python==0.3.36
#   /tmp/gguf/bin/python tools/golden/gguf-types.py
#
# Types are letters in the order of the names of tensors, as names and types in full would take a hundred kB.
import ctypes
import json
import tempfile
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

OUTPUT = Path(__file__).parents[2] / "packages/core/test-fixtures/formats/gguf-types.json.golden"
ENCODINGS = {"q4_0": 2, "q4_1": 3, "q5_0": 8, "q5_1": 9, "q8_0": 7, "q2_k": 10, "q3_k_s": 11, "q3_k_m": 12, "q3_k_l": 13,
             "q4_k_s": 14, "q4_k_m": 15, "q5_k_s": 16, "q5_k_m": 17, "q6_k": 18, "iq4_nl": 25, "iq4_xs": 30}
LETTERS = {"F32": "f", "F16": "h", "Q4_0": "a", "Q4_1": "b", "Q5_0": "c", "Q5_1": "d", "Q8_0": "e", "Q2_K": "2", "Q3_K": "3",
           "Q4_K": "4", "Q5_K": "5", "Q6_K": "6", "IQ4_NL": "n", "IQ4_XS": "x"}
BASE = {"architecture": "llama", "layers": 8, "width": 256, "inner": 512, "heads": 8, "keyHeads": 8, "experts": 0, "tied": False}
MODELS = {
    "plain": BASE,
    "grouped": {**BASE, "layers": 19, "keyHeads": 2},
    "odd": {**BASE, "inner": 352, "keyHeads": 2},
    "unusual": {**BASE, "inner": 264},
    "tied": {**BASE, "layers": 17, "width": 64, "inner": 256, "heads": 4, "keyHeads": 4, "tied": True},
    "eight experts": {**BASE, "layers": 9, "inner": 256, "experts": 8, "keyHeads": 2},
    "four experts": {**BASE, "inner": 288, "experts": 4},
    "falcon": {**BASE, "architecture": "falcon", "layers": 17},
}
VOCABULARY = 300
QUIET = llama_cpp.llama_log_callback(lambda *_: None)
llama_cpp.llama_log_set(QUIET, ctypes.c_void_p(0))


def shapes(model):
    width, inner = model["width"], model["inner"]
    keys = width * model["keyHeads"] // model["heads"]
    experts = [model["experts"]] if model["experts"] else []
    suffix = "_exps" if experts else ""
    yield "token_embd.weight", [VOCABULARY, width]
    yield "output_norm.weight", [width]
    if not model["tied"]:
        yield "output.weight", [VOCABULARY, width]
    for layer in range(model["layers"]):
        for name, shape in [("attn_norm", [width]), ("ffn_norm", [width]), ("attn_q", [width, width]), ("attn_k", [keys, width]),
                            ("attn_v", [keys, width]), ("attn_output", [width, width]),
                            (f"ffn_gate{suffix}", [*experts, inner, width]), (f"ffn_up{suffix}", [*experts, inner, width]),
                            (f"ffn_down{suffix}", [*experts, width, inner]), *([("ffn_gate_inp", [*experts, width])] if experts else [])]:
            yield f"blk.{layer}.{name}.weight", shape


def write(path, model):
    writer = gguf.GGUFWriter(path, model["architecture"])
    writer.add_context_length(128)
    writer.add_embedding_length(model["width"])
    writer.add_block_count(model["layers"])
    writer.add_feed_forward_length(model["inner"])
    writer.add_head_count(model["heads"])
    writer.add_head_count_kv(model["keyHeads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_layer_norm_eps(1e-5)
    writer.add_rope_dimension_count(model["width"] // model["heads"])
    writer.add_vocab_size(VOCABULARY)
    if model["experts"]:
        writer.add_expert_count(model["experts"])
        writer.add_expert_used_count(2)
    for name, shape in shapes(model):
        writer.add_tensor(name, np.ones(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def importance(model):
    """One entry alone, so that llama.cpp chooses types as with an importance matrix."""
    kept = np.ones(model["width"], np.float32)
    entry = llama_cpp.llama_cpp.llama_model_imatrix_data
    entries = (entry * 2)()
    entries[0] = entry(b"blk.0.attn_q.weight", kept.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), kept.size)
    return entries, kept


result = {}
with tempfile.TemporaryDirectory() as folder:
    source, target = f"{folder}/model.gguf", f"{folder}/quantised.gguf"
    for name, model in MODELS.items():
        write(source, model)
        types = {}
        for encoding, number in ENCODINGS.items():
            for ending in ["", "+"]:
                params = llama_cpp.llama_model_quantize_default_params()
                params.ftype, params.nthread = number, 1
                if ending == "+":
                    entries, kept = importance(model)
                    params.imatrix = ctypes.cast(entries, type(params.imatrix))
                assert llama_cpp.llama_model_quantize(source.encode(), target.encode(), params) == 0, (name, encoding)
                tensors = {tensor.name: LETTERS[tensor.tensor_type.name] for tensor in gguf.GGUFReader(target).tensors}
                types[encoding + ending] = "".join(tensors[key] for key in sorted(tensors))
        # With importance only what differs.
        types = {key: text for key, text in types.items() if not key.endswith("+") or text != types[key[:-1]]}
        result[name] = {"model": model, "types": types}
OUTPUT.write_text(json.dumps(result, indent=1) + "\n")
