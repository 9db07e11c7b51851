"""Data on their way to the command: tensors, data sets and data loaders become a file."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Tuple

from ._errors import IsthmusError
from ._models import random_state_kept
from ._safetensors import write_safetensors

if TYPE_CHECKING:
    import torch

#: Names under which labels of a batch are found.
_LABELS = ("labels", "label", "targets", "target", "y")


class Examples:
    """Inputs by parameters of the model, or in their order, and labels; either may be missing."""

    def __init__(self, inputs: Tuple[Any, ...], named: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
        self.inputs = tuple(_tensor(value) for value in inputs)
        self.named = {name: _tensor(value) for name, value in named.items()}
        self.labels = {name: _labels(value) for name, value in labels.items()}
        sizes = {len(value) for value in (*self.inputs, *self.named.values(), *self.labels.values())}
        if len(sizes) != 1:
            raise IsthmusError(
                f"Cannot use data as inputs and labels must be of equally many examples: they are of {sorted(sizes)}"
            )

    def example(self) -> Any:
        """Returns the inputs of the first two examples, as the model takes them."""
        return (*(value[:2] for value in self.inputs), {name: value[:2] for name, value in self.named.items()})

    def write(self, path: str, inputs: Mapping[str, str]) -> str:
        """Writes all, under the names of the graph's inputs, and returns the name of the data set."""
        names = list(inputs.values()) or ["x"]
        tensors = {name: value for name, value in zip(names, self.inputs)}
        tensors.update({inputs.get(name, name): value for name, value in self.named.items()})
        tensors.update(self.labels)
        write_safetensors(path, tensors)
        return f"safetensors:{path}"


def read_data(data: Any) -> Examples:
    """Reads data that have no name: a pair of inputs and labels, inputs alone, a dict, a data set or a loader."""
    import torch

    if isinstance(data, (tuple, list, Mapping)) or _is_array(data):
        return _examples_of(data)
    if isinstance(data, torch.utils.data.Dataset) and not isinstance(data, torch.utils.data.IterableDataset):
        data = torch.utils.data.DataLoader(data, batch_size=256)
    if not hasattr(data, "__iter__"):
        raise IsthmusError(
            "Cannot use data as they must be a name, tensors (inputs, labels), a dict of tensors, a data set or a "
            f"DataLoader: they are a {type(data).__name__}"
        )
    with random_state_kept(), _generators_kept(data):
        batches = [_examples_of(batch) for batch in data]
    if not batches:
        raise IsthmusError("Cannot use data as there must be an example: the loader gives none")
    return Examples(
        tuple(torch.cat(parts) for parts in zip(*(batch.inputs for batch in batches))),
        {name: torch.cat([batch.named[name] for batch in batches]) for name in batches[0].named},
        {name: torch.cat([batch.labels[name] for batch in batches]) for name in batches[0].labels},
    )


def _examples_of(batch: Any) -> Examples:
    """Reads a batch: inputs alone, (inputs, labels), or a dict; inputs may be several."""
    if isinstance(batch, Mapping):
        label = next((name for name in _LABELS if name in batch), None)
        named = {name: value for name, value in batch.items() if name != label and _is_array(value)}
        return Examples((), named, {} if label is None else {"labels": batch[label]})
    if not isinstance(batch, (tuple, list)):
        return Examples((batch,), {}, {})
    if len(batch) > 2 or not batch:
        raise IsthmusError(
            f"Cannot use data as they must be (inputs, labels), or inputs alone: they are {len(batch)} parts",
            hint="Give several inputs as ((first, second), labels), or as a dict by parameters of forward.",
        )
    inputs, labels = batch[0], (batch[1] if len(batch) == 2 else None)
    targets = labels if isinstance(labels, Mapping) else {} if labels is None else {"labels": labels}
    if isinstance(inputs, Mapping):
        return Examples((), inputs, targets)
    return Examples(tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,), {}, targets)


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _tensor(value: Any) -> torch.Tensor:
    """Returns a value as a tensor on the processor, halves as f32, which graphs are fed."""
    import torch

    tensor = torch.as_tensor(value).detach().to("cpu")
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _labels(value: Any) -> torch.Tensor:
    import torch

    tensor = _tensor(value)
    return tensor.to(torch.uint8) if tensor.dtype == torch.bool else tensor


@contextlib.contextmanager
def _generators_kept(loader: Any) -> Iterator[None]:
    """Puts the random generators of a loader back, so that a training that shuffles goes on as it would have."""
    owners = (loader, getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None))
    generators: List[Any] = [getattr(owner, "generator", None) for owner in owners]
    states: Dict[int, Any] = {i: own.get_state() for i, own in enumerate(generators) if own is not None}
    try:
        yield
    finally:
        for i, state in states.items():
            generators[i].set_state(state)
