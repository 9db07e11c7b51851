"""Models on the processor: copies that can be run and exported while the model itself, and chance, stay as they are."""

from __future__ import annotations

import contextlib
import copy
import random
import re
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, Tuple

from ._errors import ExportError, IsthmusError

if TYPE_CHECKING:
    import torch

#: Arguments of a call, and keyword arguments.
Inputs = Tuple[Tuple[Any, ...], Dict[str, Any]]
#: Largest difference of two runs of a model, relative to its largest output.
_NOISE = 1e-4


@contextlib.contextmanager
def random_state_kept() -> Iterator[None]:
    """Puts the random states of PyTorch, Python and NumPy back after some code, as a training goes on with them."""
    import torch

    numpy = sys.modules.get("numpy")
    state = random.getstate()
    numbers = numpy.random.get_state() if numpy is not None else None
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(state)
        if numpy is not None:
            numpy.random.set_state(numbers)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Runs code on the processor, without gradients, half precision and effects on random states."""
    import torch

    alone = random_state_kept(), torch.inference_mode(False), torch.no_grad()
    with contextlib.ExitStack() as stack:
        for context in (*alone, torch.device("cpu"), torch.autocast("cpu", enabled=False)):
            stack.enter_context(context)
        yield


def tensors_of(state: Mapping[str, Any]) -> Dict[str, torch.Tensor]:
    """Returns the tensors of a state dict, without what else modules keep there."""
    import torch

    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def is_finite(weights: Mapping[str, Any]) -> bool:
    """Says whether all numbers of a state dict are finite."""
    import torch

    floats = [value for value in tensors_of(weights).values() if value.is_floating_point()]
    return all(bool(torch.isfinite(value.float()).all()) for value in floats)


def load_weights(model: torch.nn.Module, weights: Mapping[str, Any], name: str = "a state dict") -> None:
    """Loads a state dict, with or without the prefixes of DistributedDataParallel and torch.compile."""
    prefix = re.compile(r"^((?:module|_orig_mod)\.)+")
    expected = model.state_dict()
    named = weights if any(name in expected for name in weights) else {prefix.sub("", k): v for k, v in weights.items()}
    try:
        model.load_state_dict(named)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise IsthmusError(
            f"Cannot load {name} into {type(model).__name__} as it must be a state dict of this model: {error}"
        ) from error


def _unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """Returns the model inside of torch.compile, DataParallel and DistributedDataParallel."""
    import torch

    while True:
        parallel = isinstance(model, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel))
        inner = model.module if parallel else getattr(model, "_orig_mod", None)
        if not isinstance(inner, torch.nn.Module):
            return model
        model = inner


def copy_model(model: torch.nn.Module) -> torch.nn.Module:
    """Copies a model, without its wrappers, to the processor, in evaluation mode, with halves as f32."""
    import torch

    if not isinstance(model, torch.nn.Module):
        raise IsthmusError(f"Cannot export a model as it must be a torch.nn.Module: it is a {type(model).__name__}")
    # What deepcopy finds here it does not copy: so no gradient is copied, nothing stays on another device, and
    # tensors that were computed, which it would refuse, are copied by their values.
    model = _unwrapped(model)
    copies: Dict[int, Any] = {}
    for module in model.modules():
        for store in (module._parameters, module._buffers, vars(module)):
            for value in store.values():
                if isinstance(value, torch.Tensor) and id(value) not in copies:
                    copies[id(value)] = _copy_tensor(value)
    try:
        plain = copy.deepcopy(model, copies)
    except Exception as error:
        raise ExportError(
            f"Cannot copy {type(model).__name__} for its export as copy.deepcopy must copy it: {error}",
            hint="Give a new instance of its class; the weights of your state dicts are loaded into it.",
        ) from error
    halves = {torch.float16, torch.bfloat16}
    if any(tensor.dtype in halves for tensor in plain.state_dict().values() if isinstance(tensor, torch.Tensor)):
        plain.float()
    # Models of transformers would return their cache, too, which no exporter takes.
    if getattr(getattr(plain, "config", None), "use_cache", False):
        plain.config.use_cache = False  # type: ignore[union-attr]
    return plain.eval()


def _copy_tensor(value: torch.Tensor) -> torch.Tensor:
    import torch

    plain = value.detach().to("cpu", copy=True)
    return torch.nn.Parameter(plain, value.requires_grad) if isinstance(value, torch.nn.Parameter) else plain


def split_example(example: Any) -> Inputs:
    if example is None:
        raise IsthmusError(
            "Cannot export the model as it needs an example of its inputs: none is given",
            hint="Give example=x, a tensor with two inputs of the model, or a tuple or dict of its arguments.",
        )
    if isinstance(example, Mapping):
        return (), dict(example)
    if not isinstance(example, (tuple, list)):
        return (example,), {}
    if example and isinstance(example[-1], Mapping):
        return tuple(example[:-1]), dict(example[-1])
    return tuple(example), {}


def prepare_inputs(model: torch.nn.Module, inputs: Inputs) -> Inputs:
    """Puts inputs on the processor, halves as f32, and a single example twice, as exporters fix the size 1."""
    import torch

    halves = {torch.float16, torch.bfloat16}

    def plain(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        moved = value.detach().to("cpu", copy=True)
        return moved.float() if moved.dtype in halves else moved

    prepared: Inputs = map_leaves(inputs, plain)
    tensors = tensors_in(prepared)
    if tensors and all(tensor.dim() > 0 and tensor.shape[0] == 1 for tensor in tensors):
        twice: Inputs = map_leaves(prepared, _doubled)
        with contextlib.suppress(Exception):
            call_model(model, twice)
            return twice
    return prepared


def _doubled(value: Any) -> Any:
    """Puts the examples of a tensor behind themselves."""
    import torch

    return torch.cat([value, value]) if isinstance(value, torch.Tensor) else value


def map_leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    """Changes the leaves of nested lists, tuples and dicts."""
    if isinstance(value, Mapping):
        return {name: map_leaves(part, change) for name, part in value.items()}
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(map_leaves(part, change) for part in value)
    return change(value)


def tensors_in(value: Any) -> List[torch.Tensor]:
    import torch

    found: List[torch.Tensor] = []
    map_leaves(value, lambda part: found.append(part) if isinstance(part, torch.Tensor) else None)
    return found


def call_model(model: torch.nn.Module, inputs: Inputs) -> Any:
    args, kwargs = inputs
    return model(*args, **kwargs)


def run_twice(model: torch.nn.Module, inputs: Inputs) -> Any:
    """Runs a model on the example, and checks that it computes the same a second time."""

    try:
        first, second = call_model(model, inputs), call_model(model, inputs)
    except Exception as error:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(inputs))
        raise IsthmusError(
            f"Cannot run {type(model).__name__} on the example, of shape {shapes}, as it must take it: "
            f"{type(error).__name__}: {error}"
        ) from error
    for one, other in zip(tensors_in(first), tensors_in(second)):
        if one.shape != other.shape or change_of(one, other) > _NOISE:
            raise IsthmusError(
                f"Cannot export {type(model).__name__} as it must compute the same twice in evaluation mode: "
                "its outputs for the same inputs differ",
                hint="Let no layer draw at random in model.eval(): F.dropout needs training=self.training.",
            )
    return first


def change_of(before: torch.Tensor, after: torch.Tensor) -> float:
    """Returns the largest difference of two outputs, relative to the largest element; 0 if there are no numbers."""
    import torch

    both = torch.isfinite(before) & torch.isfinite(after)
    if not before.is_floating_point() or not bool(both.any()):
        return 0.0
    scale = before[both].abs().max().item()
    return (before - after)[both].abs().max().item() / scale if scale > 0 else 0.0
