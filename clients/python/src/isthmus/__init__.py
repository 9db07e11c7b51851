"""Isthmus for PyTorch: aligns, merges and measures networks that were trained apart.

The work is done by the command `isthmus` of the npm package, which runs on Node.js. This module exports models, hands
state dicts over and takes them back:

    aligned = isthmus.align(model, a, b, example)
    merged = isthmus.merge(model, [a, b], example, align=True)
    result = isthmus.barrier(model, a, b, data=(images, labels), align=True)
"""

from ._align import align
from ._errors import CommandNotFoundError, ExportError, IsthmusError
from ._export import Graph, export
from ._federate import Round, federate
from ._measure import barrier, compare, symmetry
from ._merge import merge
from ._results import Barrier, Comparison, Record, Result, StateDict, Symmetry
from ._version import __version__

__all__ = [
    "Barrier",
    "CommandNotFoundError",
    "Comparison",
    "ExportError",
    "Graph",
    "IsthmusError",
    "Record",
    "Result",
    "Round",
    "StateDict",
    "Symmetry",
    "__version__",
    "align",
    "barrier",
    "compare",
    "export",
    "federate",
    "merge",
    "symmetry",
]
