"""What the functions of the module return: results with figures, and state dicts with what is known of them."""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
from collections import OrderedDict
from typing import Any, Dict, List, Optional, Tuple, Type, TypeVar, Union

from ._errors import IsthmusError
from ._files import temporary_folder

R = TypeVar("R", bound="Result")


class Record(Dict[str, Any]):
    """A JSON object whose fields are attributes, too: `result.barrier.loss.chord`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"There is no field {name!r}: fields are {', '.join(self)}") from None

    def __dir__(self) -> List[str]:
        return [*super().__dir__(), *self]


class Result(Record):
    """What a command found: the fields of its JSON, and figures of it.

    Attributes:
        notes: what the command said beside the result, such as warnings.
    """

    notes: List[str]

    def __init__(self, fields: Any = (), notes: Optional[List[str]] = None) -> None:
        super().__init__(fields)
        self.notes = list(notes or [])
        self._figures: Optional[Dict[str, str]] = None

    @classmethod
    def of(cls: Type[R], result: Result) -> R:
        """Makes a result of this kind from the fields and notes of another."""
        return cls(result, result.notes)

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (dict(self), self.notes)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the result as JSON, which `isthmus report` draws."""
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self, file, indent=2)

    def report(self, path: Union[str, os.PathLike[str]], **options: Any) -> None:
        """Writes a page with figures and all numbers (.html); options are those of `isthmus report`."""
        self._draw(output=os.fspath(path), **options)

    def figures(self) -> Dict[str, str]:
        """Draws the figures of the result as SVG, by the names of their files; none if there is nothing to draw."""
        if self._figures is None:
            figures: Dict[str, str] = {}
            with temporary_folder() as folder:
                for path in self._draw(svg=folder)["outputs"]:
                    name = os.path.basename(path)
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        figures[name] = file.read()
            self._figures = figures
        return self._figures

    def _draw(self, **options: Any) -> Record:
        from ._command import run_verb, words_of

        with temporary_folder() as folder:
            path = os.path.join(folder, "result.json")
            self.save(path)
            return run_verb("report", [path, *words_of(options)], progress=False)[0]

    def _rows(self) -> List[Tuple[str, str]]:
        """Returns the lines of the summary, each with its name."""
        rows = [(name, str(value)) for name, value in self.items() if isinstance(value, (str, int, float))]
        written = self.get("outputs") or self.get("output", {}).get("files", [])
        return [*rows, *([("written", ", ".join(map(str, written)))] if written else [])]

    def _summary(self) -> List[Tuple[str, str]]:
        """Returns the lines of the summary that fit a line of text."""
        return self._rows()

    def __repr__(self) -> str:
        return _line(self, self._summary())

    def _repr_html_(self) -> str:
        drawn = ""
        # A result of another machine may be shown where the command is not.
        with contextlib.suppress(IsthmusError):
            drawn = "".join(_fitted(figure) for figure in self.figures().values()) if "kind" in self else ""
        figures = f'<div style="background:#fff;max-width:960px">{drawn}</div>' if drawn else ""
        return figures + _table(self._rows())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("..." if cycle else repr(self))


class Barrier(Result):
    """Loss and error on the way from one network to another, as `isthmus barrier` measures them."""

    def _rows(self) -> List[Tuple[str, str]]:
        highest = max((point for point in self["points"] if point["loss"] is not None), key=lambda point: point["loss"])
        rows = [
            ("barrier", f"{self['barrier']['loss']['chord']:.4g} above the line between the ends"),
            ("highest loss", f"{highest['loss']:.4g} at t = {highest['t']:.4g}"),
            ("points", str(len(self["points"]))),
        ]
        if self.get("alignment"):
            before = self.get("asGiven")
            chord = before["barrier"]["loss"]["chord"] if before else None
            rows.append(("alignment", "b was aligned first" + ("" if chord is None else f"; {chord:.4g} without it")))
        return rows


class Comparison(Result):
    """What two or more networks have in common, and whether they can be merged, as `isthmus compare` says it."""

    def _rows(self) -> List[Tuple[str, str]]:
        found = [(finding["kind"], f"{finding['message']}; {finding['advice']}") for finding in self["findings"]]
        return [("verdict", self["verdict"]), *found]


class Symmetry(Result):
    """The symmetries of an architecture: which units can be permuted, and what stays and why."""

    def _rows(self) -> List[Tuple[str, str]]:
        def row(found: Any) -> Tuple[str, str]:
            axes = ", ".join(f"{axis['tensor']} (axis {axis['axis']})" for axis in found["axes"])
            return found["name"], f"{found['size']} units: {axes}"

        rows = [row(found) for found in self["symmetries"]]
        verified = self.get("verified")
        return [*rows, *([("verified", str(verified.get("passed", verified)))] if verified else [])]

    def _summary(self) -> List[Tuple[str, str]]:
        units = sum(found["size"] for found in self["symmetries"])
        return [("symmetries", str(len(self["symmetries"]))), ("units", str(units))]


class StateDict(OrderedDict):  # type: ignore[type-arg]
    """A state dict, which `load_state_dict` takes, with the result of the command that made it.

    Saved by `torch.save`, or pickled, it is a plain `OrderedDict`, so that it is read without this module.

    Attributes:
        result: what the command says of it: proof, objective, statistics and notes.
    """

    result: Result

    def __init__(self, tensors: Any = (), result: Optional[Result] = None) -> None:
        super().__init__(tensors)
        self.result = Result() if result is None else result

    def __reduce__(self) -> Tuple[Any, ...]:
        state = {"_metadata": self._metadata} if hasattr(self, "_metadata") else None
        return OrderedDict, (), state, None, iter(self.items())

    def copy(self) -> StateDict:
        return StateDict(self, self.result)

    __copy__ = copy

    def _rows(self) -> List[Tuple[str, str]]:
        tensors = [value for value in self.values() if hasattr(value, "numel")]
        rows = [("tensors", str(len(tensors))), ("parameters", f"{sum(value.numel() for value in tensors):,}")]
        method, proof = self.result.get("method"), self.result.get("verified")
        if method is not None:
            rows.append(("method", str(method)))
        alignments = self.result.get("alignments")
        if alignments:
            errors = [alignment["verified"]["maxRelativeError"] for alignment in alignments]
            rows.append(("aligned", f"{len(alignments)}, verified to {max(errors):.2g} (relative)"))
        if proof is not None:
            rows.append(("verified", f"to {proof['maxRelativeError']:.2g} (relative)" if proof["passed"] else "no"))
        return rows

    def __repr__(self) -> str:
        return _line(self, self._rows())

    def _repr_html_(self) -> str:
        return _table(self._rows())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("..." if cycle else repr(self))


def _fitted(figure: str) -> str:
    """Lets a figure shrink to the width of a notebook's cell."""
    return re.sub(r' height="\d+" width="(\d+)"', r' style="width:100%;max-width:\1px"', figure, count=1)


def _line(shown: Any, rows: List[Tuple[str, str]]) -> str:
    """Writes lines with names as one line of text."""
    return f"{type(shown).__name__}({', '.join(f'{name}: {text}' for name, text in rows)})"


def _table(rows: List[Tuple[str, str]]) -> str:
    """Draws lines with names as a table; names come from files, and are shown as text."""
    cells = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in rows)
    return f'<table style="text-align:left">{cells}</table>'
