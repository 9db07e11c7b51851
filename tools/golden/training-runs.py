# Makes checkpoints of training runs by the programs that write them, for tests of their readers.
#
#   pip install torch deepspeed flax orbax-checkpoint keras h5py   (each part runs with what it needs)
#   python tools/golden/training-runs.py dcp zero ...
#
# Each file NAME.json.golden has the paths and lengths of the files of one checkpoint, their bytes one after the other,
# compressed together by deflate in base64, as files of processes are much alike, and its tensors as the program itself
# reads them, as hexadecimal bytes in row-major order.
import base64
import json
import os
import shutil
import sys
import tempfile
import zlib
from importlib import metadata
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "packages/core/test-fixtures/runs"
NAMES = {
    "float64": "f64", "float32": "f32", "float16": "f16", "bfloat16": "bf16", "int64": "i64", "int32": "i32",
    "int16": "i16", "int8": "i8", "uint64": "u64", "uint32": "u32", "uint16": "u16", "uint8": "u8", "bool": "bool",
}


def describe(array):
    """A tensor of PyTorch or an array of NumPy or JAX, as the tests expect it."""
    if hasattr(array, "detach"):
        import torch

        array = array.detach().contiguous()
        name = str(array.dtype).removeprefix("torch.")
        raw = array.reshape(-1).view(torch.uint8).numpy().tobytes() if array.numel() else b""
    else:
        import numpy as np

        array = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
        name, raw = array.dtype.name, array.tobytes()
    return {"dtype": NAMES[name], "shape": list(array.shape), "bytes": raw.hex()}


def keep(name, path, tensors, made_by):
    """Stores a file, or all files of a folder, and the tensors that the program itself reads of it."""
    path = Path(path)
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    lengths = {str(file.relative_to(path.parent if path.is_file() else path)): file.stat().st_size for file in files}
    content = base64.b64encode(zlib.compress(b"".join(file.read_bytes() for file in files), 9)).decode()
    FOLDER.mkdir(parents=True, exist_ok=True)
    document = {
        "made_by": made_by, "files": lengths, "content": content,
        "tensors": {key: describe(value) for key, value in tensors.items()},
    }
    (FOLDER / f"{name}.json.golden").write_text(json.dumps(document, indent=1) + "\n")


def spawn(work, count, folder):
    import torch.multiprocessing

    torch.multiprocessing.spawn(start, args=(work, count, folder), nprocs=count)


def start(rank, work, count, folder):
    import torch.distributed as dist

    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29517", RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count))
    dist.init_process_group("gloo", rank=rank, world_size=count)
    work(rank, folder)
    dist.barrier()
    dist.destroy_process_group()


# Distributed checkpoints of PyTorch.


def tensors():
    import torch

    torch.manual_seed(1)
    return {
        "rows": torch.randn(5, 3),
        "columns": torch.randn(3, 6).to(torch.bfloat16),
        "blocks": torch.randn(4, 5),
        "inner": torch.randn(2, 4, 3),
        "copies": torch.randn(3).to(torch.float16),
        "plain": torch.randn(2, 2, dtype=torch.float64),
        "steps": torch.tensor(7),
    }


def placed(rank):
    """A state of tensors that processes hold in all ways: by rows, by columns, by both, uneven, as copies."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    line = init_device_mesh("cpu", (4,))
    grid = init_device_mesh("cpu", (2, 2))
    full = tensors()
    placements = {"rows": (line, [Shard(0)]), "columns": (line, [Shard(1)]), "blocks": (grid, [Shard(0), Shard(1)]),
                  "inner": (line, [Shard(1)]), "copies": (line, [Replicate()])}
    state = {name: distribute_tensor(tensor, *placements[name]) if name in placements else tensor for name, tensor in full.items()}
    return full, state


def save_dcp(rank, folder):
    import torch.distributed.checkpoint as dcp

    _, state = placed(rank)
    state = {"model": {"layers": [state], "lone": state["plain"]}, "optim": {"exp_avg": {"rows": state["rows"]}}, "epoch": 3}
    dcp.save(state, checkpoint_id=f"{folder}/dcp")


def save_hf(rank, folder):
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint import HuggingFaceStorageWriter

    _, state = placed(rank)
    dcp.save({name: state[name] for name in ["rows", "columns", "blocks"]},
             storage_writer=HuggingFaceStorageWriter(f"{folder}/dcp-safetensors", save_distributed=True))


def save_fsdp(rank, folder):
    import torch
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    torch.manual_seed(2)
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.BatchNorm1d(5), torch.nn.Linear(5, 2))
    mesh = init_device_mesh("cpu", (2,))
    fully_shard(model, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(4, 3)).square().sum().backward()
    optimizer.step()
    weights, moments = get_state_dict(model, optimizer)
    dcp.save({"app": {"model": weights, "optim": moments}}, checkpoint_id=f"{folder}/fsdp")
    full, _ = get_state_dict(model, optimizer, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    if rank == 0:
        torch.save(full, f"{folder}/fsdp-full.pt")


def save_ranks(rank, folder):
    """A file for each process, as verl stores runs: half of them have copies, and rows are uneven."""
    import torch
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    full = tensors()
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("ddp", "fsdp"))
    state = {name: distribute_tensor(full[name], mesh, places) for name, places in {
        "rows": [Replicate(), Shard(0)], "columns": [Shard(0), Shard(1)], "inner": [Shard(1), Shard(1)]}.items()}
    torch.save(state | {"plain": full["plain"]}, f"{folder}/fsdp-ranks/model_world_size_4_rank_{rank}.pt")


def save_fsdp1(rank, folder):
    """The tensors of FSDP before its second version, alone and in a distributed checkpoint."""
    import torch
    import torch.distributed.checkpoint as dcp
    from torch.distributed.fsdp import FullyShardedDataParallel, StateDictType

    torch.manual_seed(3)
    model = FullyShardedDataParallel(torch.nn.Linear(3, 5), device_id=torch.device("cpu"), use_orig_params=True)
    with FullyShardedDataParallel.state_dict_type(model, StateDictType.SHARDED_STATE_DICT):
        state = model.state_dict()
    torch.save(state, f"{folder}/fsdp1-ranks/model_world_size_2_rank_{rank}.pt")
    dcp.save({"model": state}, checkpoint_id=f"{folder}/fsdp1")
    with FullyShardedDataParallel.state_dict_type(model, StateDictType.FULL_STATE_DICT):
        full = model.state_dict()
    if rank == 0:
        torch.save(full, f"{folder}/fsdp1-full.pt")


def make_fsdp(folder):
    import torch

    for name in ["fsdp-ranks", "fsdp1-ranks"]:
        Path(folder, name).mkdir()
    spawn(save_ranks, 4, folder)
    full = tensors()
    keep("fsdp-ranks", f"{folder}/fsdp-ranks", {name: full[name] for name in ["rows", "columns", "inner", "plain"]}, f"torch {torch.__version__}")
    spawn(save_fsdp1, 2, folder)
    for name in ["fsdp1", "fsdp1-ranks"]:
        keep(name, f"{folder}/{name}", torch.load(f"{folder}/fsdp1-full.pt"), f"torch {torch.__version__}")


def read_dcp(folder):
    """All tensors of a checkpoint, as PyTorch's own conversion to one file gives them."""
    import torch
    from torch.distributed.checkpoint.format_utils import dcp_to_torch_save

    dcp_to_torch_save(folder, f"{folder}.pt")
    return torch.load(f"{folder}.pt", weights_only=False)


def make_dcp(folder):
    import torch

    made_by = f"torch {torch.__version__}"
    spawn(save_dcp, 4, folder)
    model = read_dcp(f"{folder}/dcp")["model"]
    keep("dcp", f"{folder}/dcp", {f"layers.0.{name}": t for name, t in model["layers"][0].items()} | {"lone": model["lone"]}, made_by)
    spawn(save_hf, 4, folder)
    from torch.distributed.checkpoint import HuggingFaceStorageReader
    import torch.distributed.checkpoint as dcp
    state = {"rows": torch.zeros(5, 3), "columns": torch.zeros(3, 6, dtype=torch.bfloat16), "blocks": torch.zeros(4, 5)}
    dcp.load(state, storage_reader=HuggingFaceStorageReader(f"{folder}/dcp-safetensors"))
    keep("dcp-safetensors", f"{folder}/dcp-safetensors", state, made_by)
    spawn(save_fsdp, 2, folder)
    model = read_dcp(f"{folder}/fsdp")["app"]["model"]
    full = torch.load(f"{folder}/fsdp-full.pt")
    assert all(torch.equal(full[name], model[name]) for name in full)
    keep("fsdp", f"{folder}/fsdp", model, made_by)


# ZeRO of DeepSpeed.


def save_zero(rank, folder):
    import torch

    os.environ["DS_ACCELERATOR"] = "cpu"
    import deepspeed
    import deepspeed.comm.torch

    # Messages between processes need no kernel of their own, which would be compiled first.
    deepspeed.comm.torch.build_shm_op = lambda: None
    deepspeed.init_distributed("gloo")
    for stage in [2, 3]:
        torch.manual_seed(stage)
        model = torch.nn.Sequential(
            torch.nn.Linear(3, 5), torch.nn.Linear(5, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 5), torch.nn.Linear(5, 1)
        )
        for parameter in model[0].parameters():
            parameter.requires_grad = False
        if stage == 2:
            model.add_module("tied", torch.nn.Identity())
            model.tied.weight = model[3].weight
        groups = [{"params": [model[1].weight, model[3].weight]},
                  {"params": [model[1].bias, *model[2].parameters(), model[3].bias, *model[4].parameters()], "weight_decay": 0}]
        config = {"train_micro_batch_size_per_gpu": 2, "zero_optimization": {"stage": stage}, "zero_allow_untested_optimizer": True}
        engine, *_ = deepspeed.initialize(model=model, optimizer=torch.optim.AdamW(groups), config=config)
        engine.backward(engine(torch.randn(2, 3)).square().sum())
        engine.step()
        engine.save_checkpoint(f"{folder}/zero{stage}", tag="global_step1")


def make_zero(folder):
    import deepspeed
    from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint

    spawn(save_zero, 2, folder)
    for stage in [2, 3]:
        path = Path(folder, f"zero{stage}")
        (path / "zero_to_fp32.py").unlink()
        keep(f"zero{stage}", path, get_fp32_state_dict_from_zero_checkpoint(path), f"deepspeed {deepspeed.__version__}")


# MessagePack of Flax.


def make_flax(folder):
    import flax
    import jax.numpy as jnp
    import numpy as np
    from flax import serialization, traverse_util

    rng = np.random.default_rng(3)
    params = {
        "dense": {"kernel": rng.standard_normal((3, 4)).astype(np.float32), "bias": jnp.asarray(rng.standard_normal(4), jnp.bfloat16)},
        "layers": {"0": {"scale": rng.standard_normal(5).astype(np.float16)}, "1": {"scale": np.zeros((0, 2), np.float64)}},
        "large": np.arange(12, dtype=np.int32).reshape(3, 4),
        "flag": np.array([True, False]),
        "scalar": np.float32(2.5),
    }
    # Arrays of more than so many bytes are stored in chunks; it is 1 GiB otherwise.
    serialization.MAX_CHUNK_SIZE = 40
    state = {"step": 7, "params": params, "opt_state": {"0": {"mu": params["dense"]}}}
    path = Path(folder, "flax_model.msgpack")
    path.write_bytes(serialization.to_bytes(state))
    restored = serialization.msgpack_restore(path.read_bytes())["params"]
    tensors = traverse_util.flatten_dict({"params": restored}, sep=".")
    keep("flax", path, tensors, f"flax {flax.__version__}")


# Orbax: arrays of Zarr, in databases of OCDBT or in folders.


def make_orbax(folder):
    os.environ.update(JAX_PLATFORMS="cpu", XLA_FLAGS="--xla_force_host_platform_device_count=4")
    import jax
    import jax.numpy as jnp
    import numpy as np
    import orbax.checkpoint as ocp
    import tensorstore
    from flax import traverse_util
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    rng = np.random.default_rng(6)
    mesh = Mesh(np.array(jax.devices()).reshape(2, 2), ("x", "y"))

    def place(array, *axes):
        return jax.device_put(jnp.asarray(array), NamedSharding(mesh, PartitionSpec(*axes)))

    params = {
        "Dense_0": {"kernel": place(rng.standard_normal((4, 6), np.float32), "x", "y"),
                    "bias": place(rng.standard_normal(4).astype(jnp.bfloat16), ("x", "y"))},
        "layers": [{"scale": rng.standard_normal(5).astype(np.float16)}, {"scale": np.array([True, False])}],
        "shift": jnp.float32(2.5), "zeros": np.zeros((2, 3), np.int8), "nothing": None,
    }
    state = {"step": 7, "params": params, "opt_state": {"0": {"mu": {"Dense_0": np.ones(2, np.float32)}}, "1": {}}, "note": "text"}
    versions = f"orbax-checkpoint {ocp.__version__}, tensorstore {metadata.version('tensorstore')}"
    for name, options in {"orbax": {"use_zarr3": False}, "orbax-zarr3": {"use_zarr3": True}, "orbax-folders": {"use_ocdbt": False}}.items():
        path = Path(folder, name)
        if name == "orbax":
            params["table"] = rng.standard_normal((3, 90), np.float32)  # more than is stored in a node
        else:
            params.pop("table", None)
        handler = ocp.PyTreeCheckpointHandler(**options)
        # Small chunks, of which there are several in each box of a device.
        arguments = jax.tree.map(lambda _: ocp.SaveArgs(chunk_byte_size=64) if name == "orbax-zarr3" else ocp.SaveArgs(), state)
        ocp.Checkpointer(handler).save(path, args=ocp.args.PyTreeSave(state, save_args=arguments))
        restored = ocp.Checkpointer(handler).restore(path)
        flat = traverse_util.flatten_dict({"params": restored["params"] | {"layers": dict(enumerate(restored["params"]["layers"]))}})
        tensors = {".".join(map(str, key)): value for key, value in flat.items() if value is not None}
        tensors["step"] = np.int64(restored["step"])
        shutil.rmtree(path / "array_metadatas")
        (path / "_sharding").unlink()
        keep(name, path, tensors, versions)

    # The same by TensorStore alone: a tree of several levels, plain blocks, other packings, chunks that are not stored.
    path = Path(folder, "orbax-levels")
    config = {"max_decoded_node_bytes": 400, "max_inline_value_bytes": 20, "compression": None}
    tensors = {}
    for i, (compressor, dtype) in enumerate([(None, ">f4"), ({"id": "gzip", "level": 9}, "<f8"), ({"id": "zlib", "level": 9}, "<i2"), ({"id": "zstd"}, "|u1")]):
        name = f"layer_{i}.kernel"
        array = np.round(10 * rng.standard_normal((5, 4))).clip(0).astype(dtype)
        array[:3, :3] = 0
        store = tensorstore.open({
            "driver": "zarr", "kvstore": {"driver": "ocdbt", "base": f"file://{path}/", "path": f"{name}/", "config": config}, "create": True,
            "metadata": {"shape": [5, 4], "chunks": [3, 3], "dtype": dtype, "compressor": compressor, "fill_value": 0, "dimension_separator": "/" if i == 3 else "."},
        }).result()
        store.write(array).result()
        tensors[name] = array.astype(np.dtype(dtype).newbyteorder("="))
    keep("orbax-levels", path, tensors, versions.split(", ")[1])


# Keras 3.


def make_keras(folder):
    os.environ["KERAS_BACKEND"] = "jax"
    import h5py
    import keras
    import numpy as np

    keras.utils.set_random_seed(4)
    model = keras.Sequential([
        keras.layers.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.BatchNormalization(),
        keras.layers.Dense(2, dtype="float16"), keras.layers.Dropout(0.5),
    ])
    model.compile("adam", "mse")
    model.fit(np.ones((2, 4)), np.ones((2, 2)), verbose=0)
    model.save(f"{folder}/model.keras")
    model.save_weights(f"{folder}/model.weights.h5")
    tensors = {}

    def visit(name, member):
        if isinstance(member, h5py.Dataset) and not name.startswith("optimizer/"):
            tensors[name.replace("/", ".")] = member[()]

    with h5py.File(f"{folder}/model.weights.h5") as file:
        file.visititems(visit)
    for name in ["model.keras", "model.weights.h5"]:
        keep(f"keras-{name.split('.')[-1]}", f"{folder}/{name}", tensors, f"keras {keras.__version__}, h5py {h5py.__version__}")


# Megatron-LM, which no package brings: files of its layout, split by the rules of its layers.


def make_megatron(folder):
    import argparse

    import torch

    torch.manual_seed(5)
    slices, stages, hidden, wide, layers = 2, 2, 4, 6, 3
    full = {"embedding.word_embeddings.weight": torch.randn(8, hidden), "embedding.position_embeddings.weight": torch.randn(3, hidden)}
    for i in range(layers):
        full |= {
            f"decoder.layers.{i}.self_attention.linear_qkv.weight": torch.randn(3 * hidden, hidden).to(torch.bfloat16),
            f"decoder.layers.{i}.self_attention.linear_qkv.layer_norm_weight": torch.randn(hidden),
            f"decoder.layers.{i}.self_attention.linear_proj.weight": torch.randn(hidden, hidden),
            f"decoder.layers.{i}.self_attention.linear_proj.bias": torch.randn(hidden),
            f"decoder.layers.{i}.mlp.linear_fc1.weight": torch.randn(2 * wide, hidden),
            f"decoder.layers.{i}.mlp.linear_fc2.weight": torch.randn(hidden, wide),
        }
    full |= {"decoder.final_layernorm.weight": torch.randn(hidden), "output_layer.weight": torch.randn(8, hidden)}

    def part(name, tensor, t):
        if "linear_fc1" in name:  # a gate and a projection, each split by rows
            return torch.cat([half.chunk(slices)[t] for half in tensor.chunk(2)])
        if name.endswith(("linear_qkv.weight", "word_embeddings.weight", "output_layer.weight")):
            return tensor.chunk(slices)[t].clone()
        if name.endswith(("linear_proj.weight", "linear_fc2.weight")):
            return tensor.chunk(slices, 1)[t].clone()
        return tensor

    first = 2  # layers of the first stage
    for t in range(slices):
        for s in range(stages):
            model = {}
            for name, tensor in full.items():
                pieces = name.split(".")
                if pieces[1] == "layers":
                    number = int(pieces[2])
                    if (number >= first) != (s == 1):
                        continue
                    name = ".".join([*pieces[:2], str(number - first * s), *pieces[3:]])
                elif name.startswith("embedding") == (s == 1):
                    continue
                model[name] = part(name, tensor, t)
            model["decoder.final_layernorm._extra_state"] = torch.zeros(3, dtype=torch.uint8)
            state = {
                "args": argparse.Namespace(swiglu=True, tensor_model_parallel_size=slices, pipeline_model_parallel_size=stages, seen=torch.float32),
                "checkpoint_version": 3.0, "iteration": 20, "model": model, "optimizer": {"exp_avg": torch.randn(2)},
            }
            path = Path(folder, "megatron", "iter_0000020", f"mp_rank_{t:02}_{s:03}", "model_optim_rng.pt")
            path.parent.mkdir(parents=True)
            torch.save(state, path)
    Path(folder, "megatron", "latest_checkpointed_iteration.txt").write_text("20")
    keep("megatron", f"{folder}/megatron", full, f"torch {torch.__version__}, by the layout of Megatron-LM")


# Megatron-core itself, in its format torch_dist: experts in parallel.


def save_megatron_core(rank, folder):
    import re

    import torch
    import torch.distributed as dist

    # It asks for GPUs and for NCCL, of which there are none.
    torch.cuda.current_device, torch.cuda.synchronize = lambda: "cpu", lambda *_: None
    new_group = dist.new_group
    dist.new_group = lambda *args, pg_options=None, backend=None, **options: new_group(*args, backend="gloo", **options)
    from megatron.core import dist_checkpointing, parallel_state
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.models.gpt.gpt_model import GPTModel
    from megatron.core.transformer import TransformerConfig

    parallel_state.initialize_model_parallel(expert_model_parallel_size=2)
    torch.manual_seed(5)
    config = TransformerConfig(
        num_layers=2, hidden_size=4, ffn_hidden_size=2, num_attention_heads=2, use_cpu_initialization=True, num_moe_experts=2,
        expert_model_parallel_size=2, gated_linear_unit=True, add_bias_linear=False)
    model = GPTModel(config, get_gpt_layer_local_spec(num_experts=2), 8, 3, share_embeddings_and_output_weights=True)
    if rank == 0:
        Path(folder, "megatron-core").mkdir()
    dist.barrier()
    dist_checkpointing.save({"model": model.sharded_state_dict(), "iteration": 7}, f"{folder}/megatron-core")
    # Layers, and experts in each, are stacked along first axes; norms have the names of the layers that follow them.
    full = {}
    states = [None, None]
    dist.all_gather_object(states, {name: tensor for name, tensor in model.state_dict().items() if isinstance(tensor, torch.Tensor)})
    for name, tensor in states[0].items():
        if "layers.1" in name:
            continue
        layer = re.sub(r"layers\.\d+", "layers", name).replace("input_layernorm.", "self_attention.linear_qkv.layer_norm_")
        layer = layer.replace("pre_mlp_layernorm.", "mlp.linear_fc1.layer_norm_")
        expert = re.sub(r"local_experts\.\d+", "experts", layer)
        names = [name.replace("layers.0", f"layers.{i}") for i in range(2)]
        if "local_experts" in name:
            full[expert] = torch.stack([torch.stack([state[one] for state in states]) for one in names])
        else:
            full[layer] = tensor if "layers" not in name.split(".") else torch.stack([states[0][one] for one in names])
    if rank == 0:
        torch.save(full, f"{folder}/megatron-core.pt")


def make_megatron_core(folder):
    import torch

    spawn(save_megatron_core, 2, folder)
    Path(folder, "megatron-core", "common.pt").unlink()
    keep("megatron-core", f"{folder}/megatron-core", torch.load(f"{folder}/megatron-core.pt"), f"megatron-core {metadata.version('megatron-core')}")


MAKERS = {"dcp": make_dcp, "fsdp": make_fsdp, "zero": make_zero, "flax": make_flax, "orbax": make_orbax, "keras": make_keras, "megatron": make_megatron, "megatron-core": make_megatron_core}

if __name__ == "__main__":
    for name in sys.argv[1:] or MAKERS:
        folder = tempfile.mkdtemp()
        MAKERS[name](folder)
        shutil.rmtree(folder)
