"""One call of the command: a temporary folder with the graph, the networks and the data, and its end."""

from __future__ import annotations

import contextlib
import os
import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from ._command import path_word, run_verb, words_of
from ._errors import IsthmusError
from ._files import temporary_folder
from ._networks import Network, Path, hand_over, is_path, state_of
from ._results import Result
from ._safetensors import read_safetensors


class Call:
    """The files of one call, and the options by which its command reads them.

    Attributes:
        graph: the graph of the model; None if there is no model.
        reading: options that name the graph and the data.
    """

    def __init__(self, folder: str, keywords: Sequence[str], progress: Optional[bool]) -> None:
        self.graph: Any = None
        self.reading: Dict[str, Any] = {}
        self._folder = folder
        self._keywords = keywords
        self._progress = progress

    def place(self, name: str) -> str:
        """Returns the path of a new file or folder of the call."""
        return os.path.join(self._folder, name)

    def networks(self, networks: Sequence[Network]) -> List[str]:
        """Hands networks over, and returns their paths."""
        letters = "abcdefghijklmnopqrstuvwxyz"
        names = letters if len(networks) <= len(letters) else [f"network-{i + 1}" for i in range(len(networks))]
        for network, name in zip(networks, names):
            state = state_of(network)
            if self.graph is not None and state is not None:
                self.graph.check(state, f"network {name}")
        return [hand_over(network, self._folder, name) for network, name in zip(networks, names)]

    def written(self, files: Sequence[str]) -> List[str]:
        """Returns the paths of the networks among files that a result names, without the folder of the call."""
        networks = [file for file in files if file.endswith(".safetensors")]
        return [self.place(file) if os.path.exists(self.place(file)) else file for file in networks]

    def run(self, verb: str, paths: Sequence[str], *options: Optional[Mapping[str, Any]]) -> Result:
        """Runs a verb on the files of the call; of options of one name the last counts."""
        chosen: Dict[str, Any] = {}
        for some in (self.reading, *options):
            chosen.update(some or {})
        words = [*paths, *words_of(chosen)]
        try:
            found, notes = run_verb(verb, words, progress=self._progress, keywords=self._keywords)
        except IsthmusError as error:
            raise self._in_words_of_python(error) from error.__cause__
        return Result(found, notes)

    def weights_in(self, path: Path) -> Mapping[str, Any]:
        """Reads the tensors of a file or folder of any format, by the command, which runs no code in it."""
        converted = self.place("first.safetensors")
        run_verb("convert", [path_word(path), converted], progress=False)
        return read_safetensors(converted)

    def _in_words_of_python(self, error: IsthmusError) -> IsthmusError:
        """Names the model and its weights in an error of the command, in place of the files that they were put in."""
        if self.graph is None:
            return error
        message = error.message
        for place, name in ((self.graph.path, "the model's graph"), (self.graph.weights, "the model's own weights")):
            message = re.sub(rf'(?:graph )?"{re.escape(os.path.basename(place))}"', name, message)
        is_new = "the model's own weights" in message
        hint = _TRAINED if is_new else error.hint
        return IsthmusError(message, hint=hint, exit_code=error.exit_code, result=error.result)


#: What to do if the weights that a graph was exported with cannot be told apart.
_TRAINED = (
    "Export the model with the weights of a trained network: isthmus.export(model, example, weights=state_dict), or "
    "load them into it before."
)


@contextlib.contextmanager
def opened(
    model: Any,
    networks: Sequence[Network],
    *,
    example: Any = None,
    data: Any = None,
    export: Optional[Mapping[str, Any]] = None,
    keywords: Sequence[str] = (),
    progress: Optional[bool] = None,
) -> Iterator[Call]:
    """Makes the files of a call, the graph of a model and the data, and removes them at the end.

    Args:
        model: a module, which is exported with the weights of the first network that is no path, else of the first
            file; a graph; or None.
        networks: the networks that the call is about, which are checked but not yet written.
        example: an example of the model's inputs; the first of the data if it is None.
        data: what the option `data` takes.
        export: options of `torch.onnx.export`.
        keywords: keyword arguments of the function that is called, for hints.
        progress: whether to show progress.
    """
    states = [state for state in map(state_of, networks) if state is not None]
    with contextlib.ExitStack() as stack:
        call = Call(stack.enter_context(temporary_folder()), keywords, progress)
        examples = None
        if data is not None and not is_path(data):
            from ._data import read_data

            examples = read_data(data)
        if model is not None:
            from ._export import Graph
            from ._export import export as export_model
            from ._models import is_finite

            if not isinstance(model, Graph):
                shown = examples.example() if example is None and examples is not None else example
                # Others could not be fed to the graph that they are exported with; the command says what is wrong.
                weights = next((state for state in states if is_finite(state)), None)
                if not states and networks:
                    weights = call.weights_in(networks[0])
                model = stack.enter_context(export_model(model, shown, weights=weights, options=export))
            call.graph = model
            call.reading.update(graph=model.path, exported_from=model.weights)
        if examples is not None:
            inputs = {} if call.graph is None else call.graph.inputs
            call.reading["data"] = examples.write(call.place("data.safetensors"), inputs)
        elif data is not None:
            call.reading["data"] = path_word(data)
        yield call


def run_on_paths(
    verb: str,
    paths: Sequence[Any],
    chosen: Mapping[str, Any],
    *,
    out: Optional[Path],
    data: Any,
    options: Optional[Mapping[str, Any]],
    keywords: Sequence[str],
    progress: Optional[bool],
) -> Result:
    """Runs a verb that writes networks on files and folders alone, for which PyTorch is not needed."""
    others = [path for path in paths if not is_path(path)]
    if others:
        raise IsthmusError(
            f"Cannot {verb} as all networks must be paths if the first argument is one: there is a "
            f"{type(others[0]).__name__}",
            hint=f"Give the model first: isthmus.{verb}(model, ...)",
        )
    if out is None:
        raise IsthmusError(
            f"Cannot {verb} files as out must name the file or folder to write: it is None",
            hint=f'isthmus.{verb}("a", "b", out="result")',
        )
    with opened(None, [], data=data, keywords=keywords, progress=progress) as call:
        words = [path_word(path) for path in paths]
        return call.run(verb, words, chosen, {"output": os.fspath(out)}, options)
