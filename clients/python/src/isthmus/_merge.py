"""The function `merge`, which makes one network of several."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Union, overload

from ._align import align as align_networks
from ._call import opened, run_on_paths
from ._errors import IsthmusError
from ._files import temporary_folder
from ._networks import Network, Path, is_path, take_back
from ._results import Result, StateDict

if TYPE_CHECKING:
    from ._export import ModelLike

_KEYWORDS = ("weights", "align", "method", "data", "statistics", "loss", "seed", "out")


@overload
def merge(
    model: Optional[ModelLike], networks: Sequence[Network], example: Any = ..., *,
    weights: Optional[Sequence[float]] = ..., align: Union[bool, str] = ..., method: Optional[str] = ...,
    base: Optional[Network] = ..., parameters: Optional[Mapping[str, Any]] = ..., data: Any = ...,
    statistics: Optional[str] = ..., loss: Optional[str] = ..., seed: int = ..., out: Optional[Path] = ...,
    options: Optional[Mapping[str, Any]] = ..., export: Optional[Mapping[str, Any]] = ...,
    progress: Optional[bool] = ...,
) -> StateDict: ...  # fmt: skip
@overload
def merge(
    model: Path, networks: Path, *others: Path, out: Path, weights: Optional[Sequence[float]] = ...,
    align: Union[bool, str] = ..., method: Optional[str] = ..., base: Optional[Path] = ...,
    parameters: Optional[Mapping[str, Any]] = ..., data: Any = ..., statistics: Optional[str] = ...,
    loss: Optional[str] = ..., seed: int = ..., options: Optional[Mapping[str, Any]] = ...,
    progress: Optional[bool] = ...,
) -> Result: ...  # fmt: skip
def merge(
    model: Any,
    networks: Any,
    example: Any = None,
    *others: Any,
    weights: Optional[Sequence[float]] = None,
    align: Union[bool, str] = False,
    method: Optional[str] = None,
    base: Optional[Network] = None,
    parameters: Optional[Mapping[str, Any]] = None,
    data: Any = None,
    statistics: Optional[str] = None,
    loss: Optional[str] = None,
    seed: int = 0,
    out: Optional[Path] = None,
    options: Optional[Mapping[str, Any]] = None,
    export: Optional[Mapping[str, Any]] = None,
    progress: Optional[bool] = None,
) -> Any:
    """Merges networks into one: the average, aligned first if asked, or any other method of recipes.

    `isthmus.merge(model, [a, b], example, align=True)` merges state dicts. Without `align` and `data` the model is
    not needed and may be None. Folders and files are merged by their paths:
    `isthmus.merge("llama-a", "llama-b", out="merged")`.

    Args:
        model: the model, or a graph of it that `isthmus.export` made.
        networks: a list of state dicts, modules and paths.
        example: the model's inputs for one call, as for `isthmus.align`; needed to align without data.
        others: further paths, if only paths are given.
        weights: one number for each network, which need not add up to 1; equal ones if it is None.
        align: whether to align the networks to the first, or to the base, or by which method, such as
            `"activation"`, which needs data.
        method: method of recipes, such as `linear`, `slerp`, `ties` or `dare_ties`.
        base: the network that the others were made from, which most methods but `linear` need.
        parameters: parameters of the method, such as `{"density": 0.5}`.
        data: examples for the alignment, and for the statistics of batch norms; see `isthmus.align`.
        statistics: `keep`, `recalibrate`, `repair` or `repair-closed-form`.
        loss: the loss by which networks are scored, such as `cross-entropy`.
        seed: seed of everything random.
        out: file or folder that the command writes, too.
        options: further options of `isthmus merge --help-all`, with underscores.
        export: options of `torch.onnx.export`.
        progress: whether to show progress; if None, in a terminal and a notebook.

    Returns:
        The state dict of the merged network, with the types and devices of the first. The result alone if only
        paths are given.

    Raises:
        IsthmusError: if the networks cannot be merged.
    """
    recipe = Recipe(method, weights, base, parameters)
    asked = {"weights": weights, "statistics": statistics, "loss": loss, "seed": seed, **_alignment(align)}
    if is_path(model):
        members: List[Any] = [model, networks, *([] if example is None else [example]), *others]
        with temporary_folder() as folder:
            if method is not None:
                members, asked = [recipe.write(folder, members, base, align)], {"seed": seed}
            return run_on_paths(
                "merge", members, asked, out=out, data=data, options=options, keywords=_KEYWORDS, progress=progress
            )
    if not isinstance(networks, (list, tuple)) or others:
        raise IsthmusError(
            "Cannot merge as networks must be a list: isthmus.merge(model, [a, b], example, align=True)",
            hint='Files are merged without a model: isthmus.merge("a.pt", "b.pt", out="merged.safetensors")',
        )
    if model is None and align:
        raise IsthmusError("Cannot merge with align as it needs a model: it is None")
    members = list(networks)
    if method is not None and align:
        how = {"data": data, "seed": seed, "export": export, "progress": progress}
        how["method"] = align if isinstance(align, str) else None
        first, rest = (members[0], members[1:]) if base is None else (base, members)
        aligned: List[Any] = align_networks(model, first, rest, example, **how)
        members = aligned if base is not None else [first, *aligned]
    needs_graph = method is None and (bool(align) or data is not None)
    all_networks = [*members, *([] if base is None else [base])]
    made = opened(
        model if needs_graph else None,
        all_networks,
        example=example,
        data=data if method is None else None,
        export=export if needs_graph else None,
        keywords=_KEYWORDS,
        progress=progress,
    )
    with made as call:
        target = call.place("merged.safetensors") if out is None else os.fspath(out)
        paths = call.networks(all_networks)
        if method is not None:
            named = None if base is None else paths.pop()
            paths, asked = [recipe.write(call.place(""), paths, named, False)], {"seed": seed}
        result = call.run("merge", paths, asked, {"output": target}, options)
        return take_back(call.written(result["output"]["files"]), members[0], result)


def _alignment(align: Union[bool, str]) -> Dict[str, Any]:
    return {"align": True, "method": align} if isinstance(align, str) else {"align": align}


class Recipe:
    """What a merge by a method of recipes is made of, beside the networks."""

    def __init__(
        self,
        method: Optional[str],
        weights: Optional[Sequence[float]],
        base: Optional[Any],
        parameters: Optional[Mapping[str, Any]],
    ) -> None:
        if method is None and (base is not None or parameters is not None):
            raise IsthmusError(
                "Cannot merge with a base or parameters as a method must use them: none is named",
                hint='Name it by method="ties", or another of docs/merge-methods.md.',
            )
        self.method = method
        self.weights = weights
        self.parameters = parameters

    def write(self, folder: str, paths: Sequence[Any], base: Optional[Any], align: Union[bool, str]) -> str:
        """Writes the recipe as JSON, which is YAML, into a folder, and returns its path."""
        if self.weights is not None and len(self.weights) != len(paths):
            raise IsthmusError(
                f"Cannot merge as each of {len(paths)} networks needs a weight: there are {len(self.weights)} weights"
            )
        if isinstance(align, str):
            raise IsthmusError(
                f"Cannot merge files by {self.method} and align them by {align} as recipes align by weights",
                hint="Align them first, by isthmus.align.",
            )
        models: List[Dict[str, Any]] = []
        for index, path in enumerate(paths):
            model: Dict[str, Any] = {"model": os.path.abspath(path)}
            if self.weights is not None:
                model["parameters"] = {"weight": self.weights[index]}
            # Without a base the first network stays.
            if align and (base is not None or index > 0):
                model["align"] = True
            models.append(model)
        recipe: Dict[str, Any] = {"merge_method": self.method, "models": models}
        if base is not None:
            recipe["base_model"] = os.path.abspath(base)
        if self.parameters:
            recipe["parameters"] = dict(self.parameters)
        place = os.path.join(folder, "recipe.yml")
        with open(place, "w", encoding="utf-8") as file:
            json.dump(recipe, file, indent=2)
        return place
