"""Files in the format safetensors: a header in JSON, then the bytes of all tensors, little-endian."""

from __future__ import annotations

import ctypes
import json
import struct
from typing import TYPE_CHECKING, Any, BinaryIO, Dict, Mapping, Tuple

from ._errors import IsthmusError
from ._files import raise_unwritten

if TYPE_CHECKING:
    import torch

#: Names of element types in the format, by the names that PyTorch has for them.
DTYPES: Dict[str, str] = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
_MAX_HEADER = 100_000_000


def dtype_of(name: str, tensor: Any) -> str:
    """Returns the name that the format has for the type of a tensor's elements."""
    dtype = str(tensor.dtype).split(".")[-1]
    form = "meta" if tensor.is_meta else str(tensor.layout).split(".")[-1]
    if form != "strided":
        raise IsthmusError(
            f'Cannot hand over "{name}" as it must be a tensor with values, one for each element: it is {form}'
        )
    if dtype not in DTYPES:
        raise IsthmusError(
            f'Cannot hand over "{name}" as its elements must be of a type that safetensors has: they are {dtype}',
            hint="Types are " + ", ".join(DTYPES) + ".",
        )
    return DTYPES[dtype]


def encode_header(tensors: Mapping[str, Any]) -> bytes:
    """Encodes the header of tensors that follow it in their order, with its length before it."""
    entries: Dict[str, Any] = {}
    end = 0
    for name, tensor in tensors.items():
        if not isinstance(name, str) or name == "__metadata__":
            raise IsthmusError(
                f'Cannot hand over a tensor named {name!r} as names must be texts other than "__metadata__"'
            )
        begin, end = end, end + tensor.numel() * tensor.element_size()
        entries[name] = {"dtype": dtype_of(name, tensor), "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(entries, separators=(",", ":")).encode("ascii")
    # Padded, so that the numbers behind it are aligned.
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def decode_header(file: BinaryIO, path: str) -> Tuple[Dict[str, Any], int]:
    """Reads the header of a file, and the place where the bytes of tensors begin."""
    (length,) = struct.unpack("<Q", file.read(8).ljust(8, b"\xff"))
    if length > _MAX_HEADER:
        raise IsthmusError(f'Cannot read "{path}" as it must be a safetensors file: its header claims {length} bytes')
    entries = json.loads(file.read(length))
    entries.pop("__metadata__", None)
    return entries, 8 + length


def write_safetensors(path: str, tensors: Mapping[str, torch.Tensor]) -> None:
    """Writes tensors, each whole and contiguous, even if several share memory."""
    header = encode_header(tensors)
    try:
        with open(path, "wb") as file:
            file.write(header)
            for tensor in tensors.values():
                plain = tensor.detach().to("cpu").contiguous().resolve_conj().resolve_neg()
                size = plain.numel() * plain.element_size()
                # The memory itself, as NumPy may be missing and knows no bfloat16.
                file.write((ctypes.c_char * size).from_address(plain.data_ptr()) if size > 0 else b"")
    except OSError as error:
        raise_unwritten(f'"{path}"', error)


def read_safetensors(path: str) -> Dict[str, torch.Tensor]:
    """Reads all tensors of a file, each into memory of its own."""
    import torch

    types = {short: getattr(torch, name) for name, short in DTYPES.items() if hasattr(torch, name)}
    tensors: Dict[str, torch.Tensor] = {}
    with open(path, "rb") as file:
        entries, start = decode_header(file, path)
        for name, entry in entries.items():
            begin, end = entry["data_offsets"]
            buffer = bytearray(end - begin)
            file.seek(start + begin)
            if file.readinto(buffer) != len(buffer):
                raise IsthmusError(f'Cannot read "{name}" of "{path}" as the file must hold its bytes: it is cut short')
            dtype = types[entry["dtype"]]
            flat = torch.frombuffer(buffer, dtype=dtype) if buffer else torch.empty(0, dtype=dtype)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors
