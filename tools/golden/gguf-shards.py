# Makes a small model that the gguf package splits into shards, in both of its ways: with tensors in the first shard, and with metadata alone.
#
#   python -m venv /tmp/gguf && /tmp/gguf/bin/pip install numpy gguf==0.19.0
#   /tmp/gguf/bin/python tools/golden/gguf-shards.py
import base64
import json
import tempfile
from pathlib import Path

import gguf
import numpy as np

OUTPUT = Path(__file__).parents[2] / "packages/core/test-fixtures/formats/gguf-shards.json.golden"


def split(small_first_shard):
    """Writes five tensors, two to a shard, and returns the files by their names."""
    with tempfile.TemporaryDirectory() as folder:
        writer = gguf.GGUFWriter(Path(folder) / "model.gguf", "llama", split_max_tensors=2, small_first_shard=small_first_shard)
        writer.add_name("split")
        writer.add_block_count(5)
        for layer in range(5):
            writer.add_tensor(f"blk.{layer}.w.weight", np.arange(4 * layer, 4 * layer + 4, dtype=np.float32).reshape(2, 2))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return {path.name: base64.b64encode(path.read_bytes()).decode() for path in sorted(Path(folder).iterdir())}


OUTPUT.write_text(json.dumps({"shared": split(False), "small first": split(True)}, indent=1) + "\n")
