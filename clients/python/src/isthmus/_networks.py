"""Networks on their way to the command and back: state dicts, modules and paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Sequence, Union

from ._command import path_word
from ._errors import IsthmusError
from ._models import tensors_of
from ._results import Result, StateDict
from ._safetensors import read_safetensors, write_safetensors

if TYPE_CHECKING:
    import torch

#: A file or folder of weights.
Path = Union[str, "os.PathLike[str]"]
#: A network: its state dict, a module that has one, or a path.
Network = Union[Mapping[str, Any], "torch.nn.Module", Path]


def is_path(value: Any) -> bool:
    """Says whether a value names a file or folder."""
    return isinstance(value, (str, os.PathLike))


def state_of(network: Network) -> Optional[Mapping[str, Any]]:
    """Returns the state dict of a network; None for a path.

    Raises:
        IsthmusError: if it is something else, or has no tensors.
    """
    if is_path(network):
        return None
    state = network if isinstance(network, Mapping) else getattr(network, "state_dict", lambda: None)()
    if not isinstance(state, Mapping):
        raise IsthmusError(
            f"Cannot use a network as it must be a state dict, a module or a path: it is a {type(network).__name__}"
        )
    if not any(hasattr(value, "data_ptr") for value in state.values()):
        nested = [name for name, value in state.items() if isinstance(value, Mapping)]
        raise IsthmusError(
            "Cannot use a state dict as it must hold tensors: it has "
            + (", ".join(map(str, list(state)[:5])) or "nothing"),
            hint=f"Give the state dict inside, such as checkpoint[{nested[0]!r}]." if nested else None,
        )
    return state


def hand_over(network: Network, folder: str, name: str) -> str:
    """Writes a network into a folder, and returns its path; the path itself if it is one."""
    state = state_of(network)
    if state is None:
        return path_word(network)
    path = os.path.join(folder, f"{name}.safetensors")
    write_safetensors(path, tensors_of(state))
    return path


def take_back(files: Sequence[str], like: Network, result: Result) -> StateDict:
    """Reads what the command wrote, in the order, with the types, devices and ties of the network it was made from."""
    tensors: Dict[str, torch.Tensor] = {}
    for file in files:
        tensors.update(read_safetensors(file))
    state = state_of(like)
    if state is None:
        return StateDict(tensors, result)
    made = StateDict((), result)
    shared: Dict[Any, torch.Tensor] = {}
    for name, was in state.items():
        if name not in tensors:
            if hasattr(was, "data_ptr"):
                raise IsthmusError(f'Cannot read the result as it must have all tensors: "{name}" is missing')
            made[name] = was  # Extra state of a module.
            continue
        tensor = tensors.pop(name)
        moved = tensor.to(device=was.device, dtype=was.dtype)
        place = (was.data_ptr(), tuple(was.shape), was.stride(), was.dtype)
        known = shared.setdefault(place, moved) if was.numel() > 0 else moved
        # Tied weights stay tied, if they are still equal.
        made[name] = known if known is not moved and bool((known == moved).all()) else moved
    made.update(tensors)
    if hasattr(state, "_metadata"):
        made._metadata = state._metadata  # type: ignore[attr-defined]
    return made
