"""The functions that measure and write no network: `barrier`, `symmetry` and `compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Union

from ._call import opened
from ._command import path_word
from ._errors import IsthmusError
from ._networks import Network, Path, is_path
from ._results import Barrier, Comparison, Symmetry

if TYPE_CHECKING:
    from ._export import ModelLike

_BARRIER = ("data", "align", "compare", "points", "loss", "path", "method", "statistics", "bootstrap", "seed", "report")
_SYMMETRY = ("verify", "loss", "seed")
_COMPARE = ("base", "align", "method", "sample", "seed", "report")


def barrier(
    model: Union[ModelLike, Path],
    a: Network,
    b: Optional[Network] = None,
    example: Any = None,
    *,
    data: Any,
    align: bool = False,
    compare: bool = False,
    points: int = 25,
    loss: Optional[str] = None,
    path: str = "linear",
    method: Optional[str] = None,
    statistics: Optional[str] = None,
    bootstrap: int = 0,
    seed: int = 0,
    report: Optional[Path] = None,
    options: Optional[Mapping[str, Any]] = None,
    export: Optional[Mapping[str, Any]] = None,
    progress: Optional[bool] = None,
) -> Barrier:
    """Measures loss and error on the way from network a to network b.

    Model folders are measured by their paths: `isthmus.barrier("llama-a", "llama-b", data="text:books.txt")`.

    Args:
        model: the model, or a graph of it that `isthmus.export` made.
        a: the network at t = 0: a state dict, a module, or a path.
        b: the network at t = 1.
        example: the model's inputs for one call; not needed if data hold tensors.
        data: examples that networks are scored on: `(inputs, labels)`, inputs, a dict, a Dataset, a DataLoader, or
            a name such as `"mnist:test"`.
        align: whether to align b to a first.
        compare: whether to measure b as it is, too, if it is aligned.
        points: number of evenly spaced places, both ends among them.
        loss: the loss, such as `cross-entropy` or `mean-squared-error`; if None, what follows from the labels.
        path: `linear` or `spherical`.
        method: method of the alignment, such as `activation`.
        statistics: `auto`, `keep`, `recalibrate`, `repair` or `repair-closed-form`.
        bootstrap: number of resamples of the examples, for confidence intervals.
        seed: seed of everything random.
        report: page with curves and all numbers that is written, too (.html).
        options: further options of `isthmus barrier --help-all`, with underscores.
        export: options of `torch.onnx.export`.
        progress: whether to show progress; if None, in a terminal and a notebook.

    Returns:
        Losses and errors at every place, `result.points`, and the barriers, `result.barrier.loss.chord`; it draws
        itself in a notebook.

    Raises:
        IsthmusError: if the networks cannot be measured, or a gate such as `max_barrier` is exceeded.
    """
    asked = {
        "align": align,
        "compare": compare,
        "points": points,
        "loss": loss,
        "path": path,
        "method": method,
        "statistics": statistics,
        "bootstrap": bootstrap or None,
        "seed": seed,
        "report": report,
    }
    networks: List[Any] = [model, a] if is_path(model) else [a, b]
    exported = None if is_path(model) else model
    made = opened(exported, networks, example=example, data=data, export=export, keywords=_BARRIER, progress=progress)
    with made as call:
        return Barrier.of(call.run("barrier", call.networks(networks), asked, options))


def symmetry(
    model: Union[ModelLike, Path],
    example: Any = None,
    *,
    verify: bool = False,
    loss: Optional[str] = None,
    seed: int = 0,
    options: Optional[Mapping[str, Any]] = None,
    export: Optional[Mapping[str, Any]] = None,
    progress: Optional[bool] = None,
) -> Symmetry:
    """Finds out which units of a model can be permuted without changing what it computes.

    Args:
        model: the model, a graph of it that `isthmus.export` made, or the path of a model folder or a graph.
        example: the model's inputs for one call, as for `isthmus.align`.
        verify: whether to permute by every symmetry at once and compare every value inside the network.
        loss: the loss by which networks are scored.
        seed: seed of the verification.
        options: further options of `isthmus symmetry --help-all`, with underscores.
        export: options of `torch.onnx.export`.
        progress: whether to show progress; if None, in a terminal and a notebook.

    Returns:
        The symmetries, `result.symmetries`, and the axes that stay with the reason, `result.frozen`.

    Raises:
        IsthmusError: if the model cannot be read, or the verification fails.
    """
    asked: Dict[str, Any] = {"verify": verify, "loss": loss, "seed": seed}
    made = opened(
        None if is_path(model) else model, [], example=example, export=export, keywords=_SYMMETRY, progress=progress
    )
    with made as call:
        graph = path_word(model) if call.graph is None else call.graph.path
        if call.graph is not None:
            asked.update(checkpoint=call.graph.weights, graph=None)
        return Symmetry.of(call.run("symmetry", [graph], asked, options))


def compare(
    *networks: Network,
    model: Optional[ModelLike] = None,
    example: Any = None,
    base: Optional[Network] = None,
    align: bool = False,
    method: Optional[str] = None,
    sample: Optional[int] = None,
    seed: int = 0,
    report: Optional[Path] = None,
    options: Optional[Mapping[str, Any]] = None,
    export: Optional[Mapping[str, Any]] = None,
    progress: Optional[bool] = None,
) -> Comparison:
    """Says whether networks can be merged, and what to do first.

    Args:
        networks: two or more state dicts, modules or paths.
        model: the model, or a graph of it, to measure what alignment changes, too.
        example: the model's inputs for one call, as for `isthmus.align`.
        base: the network that they were made from.
        align: whether to measure what alignment changes; needs a model, or folders with a `config.json`.
        method: judge them for a merge by this method, such as `linear` or `ties`.
        sample: most numbers that are read of each network; small ones are read whole.
        seed: seed of the sample.
        report: page with figures and all numbers that is written, too (.html).
        options: further options of `isthmus compare --help-all`, with underscores.
        export: options of `torch.onnx.export`.
        progress: whether to show progress; if None, in a terminal and a notebook.

    Returns:
        The verdict, `result.verdict`, and what was found, `result.findings`; also if they cannot be merged.

    Raises:
        IsthmusError: if a network cannot be read.
    """
    asked = {"align": align, "method": method, "sample": sample, "seed": seed, "report": report}
    members = [*networks, *([] if base is None else [base])]
    with opened(model, members, example=example, export=export, keywords=_COMPARE, progress=progress) as call:
        paths = call.networks(members)
        if base is not None:
            asked["base"] = paths.pop()
        try:
            return Comparison.of(call.run("compare", paths, asked, options))
        except IsthmusError as error:
            # Networks that cannot be merged are an answer.
            if error.exit_code != 1 or error.result is None:
                raise
            return Comparison(error.result, [error.message])
