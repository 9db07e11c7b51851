"""The function `align`, which permutes the units of networks to match another."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Tuple, Union, overload

from ._call import Call, opened, run_on_paths
from ._errors import IsthmusError
from ._models import change_of
from ._networks import Network, Path, is_path, state_of, take_back
from ._results import Result, StateDict

if TYPE_CHECKING:
    from ._export import ModelLike

_KEYWORDS = ("data", "method", "normalize", "many", "restarts", "loss", "seed", "out")
#: Largest change of outputs, relative to the largest one. The command proves more; this finds models whose graph is
#: of one way through them only.
_CHANGE = 1e-2


@overload
def align(
    model: ModelLike, a: Network, b: Network, example: Any = ..., *, data: Any = ..., method: Optional[str] = ...,
    normalize: Union[bool, str, Sequence[str]] = ..., many: Optional[str] = ..., restarts: Optional[int] = ...,
    loss: Optional[str] = ..., seed: int = ..., out: Optional[Path] = ..., options: Optional[Mapping[str, Any]] = ...,
    export: Optional[Mapping[str, Any]] = ..., progress: Optional[bool] = ...,
) -> StateDict: ...  # fmt: skip
@overload
def align(
    model: ModelLike, a: Network, b: Union[List[Any], Tuple[Any, ...]], example: Any = ..., *, data: Any = ...,
    method: Optional[str] = ..., normalize: Union[bool, str, Sequence[str]] = ..., many: Optional[str] = ...,
    restarts: Optional[int] = ..., loss: Optional[str] = ..., seed: int = ..., out: Optional[Path] = ...,
    options: Optional[Mapping[str, Any]] = ..., export: Optional[Mapping[str, Any]] = ...,
    progress: Optional[bool] = ...,
) -> List[StateDict]: ...  # fmt: skip
@overload
def align(
    model: Path, a: Path, *, out: Path, data: Any = ..., method: Optional[str] = ...,
    normalize: Union[bool, str, Sequence[str]] = ..., many: Optional[str] = ..., restarts: Optional[int] = ...,
    loss: Optional[str] = ..., seed: int = ..., options: Optional[Mapping[str, Any]] = ...,
    progress: Optional[bool] = ...,
) -> Result: ...  # fmt: skip
def align(
    model: Any,
    a: Any,
    b: Any = None,
    example: Any = None,
    *,
    data: Any = None,
    method: Optional[str] = None,
    normalize: Union[bool, str, Sequence[str]] = False,
    many: Optional[str] = None,
    restarts: Optional[int] = None,
    loss: Optional[str] = None,
    seed: int = 0,
    out: Optional[Path] = None,
    options: Optional[Mapping[str, Any]] = None,
    export: Optional[Mapping[str, Any]] = None,
    progress: Optional[bool] = None,
) -> Any:
    """Permutes the units of network b to match network a, which changes nothing that b computes.

    Model folders with a `config.json`, such as of transformers, are aligned by their paths, without a model:
    `isthmus.align("llama-a", "llama-b", out="llama-b-aligned")`.

    Args:
        model: the model, whose weights do not matter, or a graph of it that `isthmus.export` made.
        a: the network that stays: a state dict, a module, or a path.
        b: the network that is permuted; or a sequence of several, which are aligned to `a` and each other.
        example: the model's inputs for one call: a tensor, a tuple of arguments, whose last may be a dict of
            keyword arguments, or such a dict. Not needed with data, or a graph.
        data: examples for `method`: `(inputs, labels)`, inputs, a dict, a Dataset, a DataLoader, or a name such as
            `"mnist:train"`. A pair with data is aligned by the method `learned` if no other is named.
        method: `weight`, `activation`, `straight-through` or `learned`; all but `weight` need data.
        normalize: whether to undo scales, signs and rotations, too, or which of them.
        many: how more than two networks are aligned: `best`, `cycle`, `merge-many`, `tree` or `reference`.
        restarts: number of searches, of which the best is taken; 8 for a pair and else 2 if it is None.
        loss: the loss of methods with data, such as `cross-entropy`.
        seed: seed of everything random.
        out: file or folder that the command writes, too.
        options: further options of `isthmus align --help-all`, with underscores.
        export: options of `torch.onnx.export`.
        progress: whether to show progress; if None, in a terminal and a notebook.

    Returns:
        The state dict of the permuted b, with its types and devices, or a list of them; its `result` has the proof.
        The result alone if only paths are given.

    Raises:
        IsthmusError: if the networks cannot be aligned.
    """
    asked = {"method": method, "normalize": normalize, "many": many, "restarts": restarts, "loss": loss, "seed": seed}
    if is_path(model):
        paths = [model, a, *([] if b is None else [b])]
        return run_on_paths(
            "align", paths, asked, out=out, data=data, options=options, keywords=_KEYWORDS, progress=progress
        )
    others: List[Any] = list(b) if isinstance(b, (list, tuple)) else [b]
    made = opened(model, [a, *others], example=example, data=data, export=export, keywords=_KEYWORDS, progress=progress)
    with made as call:
        is_folder = len(others) > 1 or many is not None
        target = call.place("aligned" if is_folder else "aligned.safetensors") if out is None else os.fspath(out)
        result = call.run("align", call.networks([a, *others]), asked, {"output": target}, options)
        # Of several networks the first is a, which stays.
        files = call.written(result["outputs"])[-len(others) :]
        aligned = [take_back([file], like, Result(result, result.notes)) for file, like in zip(files, others)]
        for before, after in zip(others, aligned):
            _check_in_torch(call, before, after)
    return aligned if isinstance(b, (list, tuple)) else aligned[0]


def _check_in_torch(call: Call, before: Network, after: StateDict) -> None:
    """Runs the model with both weights on the example, as a second proof beside that of the command."""
    state = state_of(before)
    if state is None:
        return
    outputs = zip(call.graph.outputs_of(state), call.graph.outputs_of(after))
    largest = max((change_of(one, other) for one, other in outputs), default=0.0)
    after.result["outputError"] = largest
    if largest > _CHANGE:
        raise IsthmusError(
            "Cannot return the aligned network as it must compute in PyTorch what it did: its outputs on the example "
            f"differ by {largest:.2g} of the largest",
            hint="Does forward take another way for other weights? An export follows the way of the example.",
            exit_code=1,
            result=after.result,
        )
