"""The export of a model to ONNX, which leaves the model, its device and the random state alone."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import logging
import os
import re
import shutil
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from ._errors import ExportError
from ._files import make_folder
from ._models import (
    Inputs,
    call_model,
    copy_model,
    load_weights,
    map_leaves,
    prepare_inputs,
    run_twice,
    split_example,
    tensors_in,
    tensors_of,
    undisturbed,
)
from ._safetensors import write_safetensors

if TYPE_CHECKING:
    import torch

logger = logging.getLogger("isthmus")
# The exporters keep their state in globals.
_EXPORTING = threading.Lock()
#: Names that mean something else in files of data: labels, and splits.
_TAKEN = re.compile(r"^(y|labels|(test|train)_.*|.*_(test|train))$")


class Graph:
    """The architecture of a model as an ONNX graph, exported once and used any number of times.

    Every function of the module that takes a model takes a graph, too. Its files are removed with it.

    Attributes:
        path: the file of the graph.
        weights: the file of the weights that the graph was exported with.
        inputs: names of its data inputs, by the parameters of the model's `forward`.
        exporter: the exporter that made it, `dynamo` or `torchscript`.
    """

    path: str
    weights: str
    inputs: Dict[str, str]
    exporter: str

    def __init__(self, model: torch.nn.Module, inputs: Inputs) -> None:
        self.folder = make_folder()
        self._finalizer = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.path = os.path.join(self.folder, "graph.onnx")
        self.weights = os.path.join(self.folder, "exported.safetensors")
        self.inputs = {}
        self.exporter = ""
        self._model = model
        self._inputs = inputs

    def close(self) -> None:
        """Removes the files of the graph."""
        self._finalizer()

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def check(self, weights: Mapping[str, Any], name: str) -> None:
        """Checks that a state dict is one of the model; messages call it by its name."""
        with undisturbed():
            load_weights(self._model, weights, name)

    def outputs_of(self, weights: Mapping[str, Any]) -> List[torch.Tensor]:
        """Runs the model on the example with other weights, in f32 or more, and returns its outputs."""
        with undisturbed():
            load_weights(self._model, weights)
            return tensors_in(call_model(self._model, self._inputs))


def export(
    model: torch.nn.Module,
    example: Any,
    *,
    weights: Optional[Mapping[str, Any]] = None,
    options: Optional[Mapping[str, Any]] = None,
) -> Graph:
    """Exports a model once, for many calls of the other functions, such as in a training loop.

    The model is copied: its mode, device, gradients and buffers stay as they are.

    Args:
        model: the model.
        example: its inputs for one call: a tensor; a tuple of arguments, whose last may be a dict of keyword
            arguments; or a dict of keyword arguments. Two examples or more are better than one.
        weights: state dict to export with; the model's own if it is None.
        options: options of `torch.onnx.export`, such as `{"dynamo": False, "opset_version": 18}`.

    Raises:
        ExportError: if no exporter can export the model.
        IsthmusError: if the model does not run on the example, or computes something else each time.
    """
    with undisturbed():
        plain = copy_model(model)
        if weights is not None:
            load_weights(plain, weights)
        inputs = prepare_inputs(plain, split_example(example))
        outputs = run_twice(plain, inputs)
        inputs = _ordered(plain, inputs)
        graph = Graph(plain, inputs)
        try:
            write_safetensors(graph.weights, tensors_of(plain.state_dict()))
            names, shapes = _describe(plain, inputs)
            graph.inputs = names
            graph.exporter = _export(graph, names, shapes, _output_names(outputs), dict(options or {}))
        except BaseException:
            graph.close()
            raise
        return graph


def _output_names(outputs: Any) -> Optional[List[str]]:
    """Returns the names of outputs that are a dict of tensors."""
    import torch

    if not isinstance(outputs, Mapping) or not all(isinstance(value, torch.Tensor) for value in outputs.values()):
        return None
    return [str(name) for name in outputs]


def _ordered(model: torch.nn.Module, inputs: Inputs) -> Inputs:
    """Puts keyword arguments in the order of the parameters of `forward`, in which exporters name them."""
    args, kwargs = inputs
    order = inspect.signature(model.forward).bind(*args, **kwargs).arguments
    return args, {name: kwargs[name] for name in [*order, *kwargs] if name in kwargs}


def _describe(model: torch.nn.Module, inputs: Inputs) -> Tuple[Dict[str, str], Dict[str, Any]]:
    """Returns the names of the graph's inputs, by parameters of `forward`, and which of their axes are the batch.

    There are no names if an argument holds several tensors: the exporter then names them.
    """
    import torch

    args, kwargs = inputs
    bound = inspect.signature(model.forward).bind(*args, **kwargs).arguments
    sizes = [tensor.shape[0] for tensor in tensors_in(inputs) if tensor.dim() > 0]
    taken = set(model.state_dict())

    def axes(value: Any) -> Any:
        is_batch = isinstance(value, torch.Tensor) and value.dim() > 0 and value.shape[0] == sizes[0]
        return {0: "N"} if is_batch else None

    names: Dict[str, str] = {}
    for index, (parameter, value) in enumerate(bound.items()):
        if isinstance(value, torch.Tensor):
            free = not _TAKEN.match(parameter) and parameter not in taken
            names[parameter] = parameter if free else f"input_{index}"
        elif tensors_in(value):
            return {}, {parameter: map_leaves(value, axes) for parameter, value in bound.items()}
    return names, {parameter: axes(value) for parameter, value in bound.items()}


def _export(
    graph: Graph,
    names: Mapping[str, str],
    axes: Mapping[str, Any],
    outputs: Optional[Sequence[str]],
    options: Mapping[str, Any],
) -> str:
    """Exports by the first exporter that works, and returns its name."""
    shared = {"input_names": list(names.values()) or None, "output_names": outputs, **options}
    failures: List[str] = []
    cause: Optional[Exception] = None
    for name, own in _attempts(names, axes, options.get("dynamo")):
        try:
            _run_exporter(graph, {**own, **shared})
            return name
        except Exception as error:
            failures.append(f"{name}: {_innermost(error)}")
            cause = error
    missing = _missing_packages()
    name = type(graph._model).__name__
    if "onnx" in missing and isinstance(cause, ImportError):
        raise ExportError(
            f"Cannot export {name} to ONNX as both exporters of PyTorch need the package onnx: it is not installed",
            hint='pip install "isthmus[onnx]" installs it, and onnxscript for the newer exporter.',
        ) from cause
    advice = f" pip install {' '.join(missing)} adds another exporter." if missing else ""
    raise ExportError(
        f"Cannot export {name} to ONNX as an exporter of PyTorch must take it: " + "; ".join(failures),
        hint=f"Options of torch.onnx.export are given as export={{...}}.{advice}",
    ) from cause


def _innermost(error: BaseException) -> str:
    """Returns the first line of the error that an exporter's error was raised from."""
    while error.__cause__ is not None:
        error = error.__cause__
    said = re.sub(r"\x1b\[[\d;]*m", "", str(error)).strip().split("\n")[0]
    return f"{type(error).__name__}: {said[:300]}"


def _missing_packages() -> List[str]:
    """Lists the packages that the newer exporter of PyTorch needs and that are not installed."""
    return [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]


def _attempts(
    names: Mapping[str, str], axes: Mapping[str, Any], dynamo: Optional[bool]
) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Lists exporters with their options, in the order in which they are tried; `dynamo` allows one alone.

    A batch of any size comes first, then the older exporter, then a batch of the size of the example.
    """
    import torch

    free = getattr(getattr(getattr(torch, "export", None), "Dim", None), "DYNAMIC", None)
    newer = {"dynamo": True, "verbose": False}
    takes_newer = free is not None and (dynamo or (dynamo is None and not _missing_packages()))
    if takes_newer:
        shapes = {parameter: _map_axes(value, free) for parameter, value in axes.items()}
        yield "dynamo", {**newer, "dynamic_shapes": shapes}
    if not dynamo:
        batch = {names[parameter]: value for parameter, value in axes.items() if value and parameter in names}
        older = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
        yield "torchscript", {**older, "dynamic_axes": batch}
    if takes_newer:
        yield "dynamo", newer


def _map_axes(value: Any, free: Any) -> Any:
    """Returns the shapes of an argument as the exporter takes them: axis 0 is free if it is the batch."""
    if isinstance(value, dict) and set(value) == {0}:
        return {0: free}
    if isinstance(value, dict):
        return {name: _map_axes(part, free) for name, part in value.items()}
    return type(value)(_map_axes(part, free) for part in value) if isinstance(value, (tuple, list)) else value


@contextlib.contextmanager
def _named_by_position(model: torch.nn.Module, names: Sequence[str], count: int) -> Iterator[None]:
    """Lets a model take its keyword arguments by position, behind `count` others, as the older exporter calls it."""
    forward = model.forward

    def call(*values: Any) -> Any:
        return forward(*values[:count], **dict(zip(names, values[count:])))

    model.forward = call
    try:
        yield
    finally:
        del model.forward


@contextlib.contextmanager
def _libraries_silenced() -> Iterator[None]:
    """Hides what libraries print by themselves: the older exporter prints every graph that it refuses."""
    saved: Dict[int, int] = {}
    with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
        for stream in (1, 2):
            saved[stream] = os.dup(stream)
            os.dup2(nowhere.fileno(), stream)
    try:
        yield
    finally:
        for stream, kept in saved.items():
            os.dup2(kept, stream)
            os.close(kept)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences what the exporters log, as a failure is followed by the next exporter, or an error that says it."""
    families = ("torch", "onnxscript", "onnx_ir")
    names = {*families, *(name for name in logging.root.manager.loggerDict if name.split(".")[0] in families)}
    levels = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _run_exporter(graph: Graph, options: Dict[str, Any]) -> None:
    """Runs an exporter without its warnings and what it prints; warnings on traces are kept for the log."""
    import torch

    args, kwargs = graph._inputs
    by_position: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if options.get("dynamo"):
        options["kwargs"] = kwargs
    elif kwargs:
        by_position, args = _named_by_position(graph._model, list(kwargs), len(args)), (*args, *kwargs.values())
    silenced = contextlib.nullcontext() if options.get("dynamo") else _libraries_silenced()
    with _EXPORTING, _quiet(), silenced, warnings.catch_warnings(record=True) as said, open(os.devnull, "w") as nowhere:
        warnings.simplefilter("always")
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), by_position:
            torch.onnx.export(graph._model, args, graph.path, **options)
    for warning in said:
        if "Tracer" in warning.category.__name__:
            logger.info("%s", warning.message)


ModelLike = Union["torch.nn.Module", Graph]
