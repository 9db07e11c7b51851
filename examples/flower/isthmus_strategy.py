"""A strategy for Flower (flwr 1.42) that hands aggregation to the `isthmus` command.

A Flower app keeps its server and its clients and changes one line:

    strategy = IsthmusStrategy(rule="trimmed-mean:f=2", before=["nnm:f=2"])        # robust
    strategy = IsthmusStrategy(align="each-other", graph="model.onnx")             # clients that began apart
    strategy = IsthmusStrategy(policy="fedbn", server="adam:learningRate=0.1")     # layer by layer

It needs numpy, the package `safetensors`, and `isthmus` of npm on the PATH (or `command=["node", "isthmus.js"]`).
Updates lie on disk while they are aggregated, so memory does not grow with the number of clients.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg
from safetensors.numpy import load_file, save_file


class IsthmusStrategy(FedAvg):
    """FedAvg of Flower whose updates are aggregated by `isthmus federate aggregate`.

    Parameters
    ----------
    rule, before, server, clip, policy, head, layers, align
        The options `--rule`, `--before`, `--server`, `--clip`, `--policy`, `--head`, `--layer` and `--align` of
        `isthmus federate aggregate --help`; `before` and `layers` are lists.
    graph : str (default: None)
        The architecture as ONNX; needed to align.
    folder : str (default: a temporary folder)
        Where updates, the state of the server's optimiser and networks are kept.
    command : list of str (default: ["isthmus"])
        How the command is called.
    **options
        All options of Flower's FedAvg.
    """

    def __init__(
        self,
        rule: str = "fedavg",
        before: Sequence[str] = (),
        server: str = "average",
        clip: float | None = None,
        policy: str = "all",
        head: str | None = None,
        layers: Sequence[str] = (),
        align: str | None = None,
        graph: str | None = None,
        folder: str | None = None,
        command: Sequence[str] = ("isthmus",),
        **options,
    ) -> None:
        super().__init__(**options)
        self.command = [*command, "federate", "aggregate"]
        self.arguments = ["--rule", rule, "--server", server, "--policy", policy]
        for name, values in {
            "--before": before,
            "--layer": layers,
            "--clip": [] if clip is None else [str(clip)],
            "--head": [] if head is None else [head],
            "--align": [] if align is None else [align],
            "--graph": [] if graph is None else [graph],
        }.items():
            for value in values:
                self.arguments += [name, value]
        # The temporary folder is removed with the strategy.
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="isthmus-flower-")
        self.folder = Path(folder or self._temporary.name)
        self.folder.mkdir(parents=True, exist_ok=True)

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        save_arrays(arrays, self.folder / "global.safetensors")
        return super().configure_train(server_round, arrays, config, grid)

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        valid, _ = self._check_and_log_replies(replies, is_train=True)
        if not valid:
            return None, None
        # Nodes in a fixed order, so that sums do not depend on who answered first.
        valid.sort(key=lambda message: message.metadata.src_node_id)
        updates, examples = [], []
        for message in valid:
            path = self.folder / f"node-{message.metadata.src_node_id}.safetensors"
            save_arrays(next(iter(message.content.array_records.values())), path)
            metrics = next(iter(message.content.metric_records.values()))
            examples.append(str(int(metrics[self.weighted_by_key])))
            updates.append(path)
        output = self.folder / "next.safetensors"
        self._run(
            [str(self.folder / "global.safetensors"), *map(str, updates)]
            + ["-o", str(output), "--examples", ",".join(examples), "--round", str(server_round)]
            + ["--state", str(self.folder / "state.safetensors"), *self.arguments]
        )
        for path in updates:
            path.unlink()
        metrics = self.train_metrics_aggr_fn([message.content for message in valid], self.weighted_by_key)
        aggregated = load_file(output)
        order = next(iter(valid[0].content.array_records.values())).keys()
        return ArrayRecord({name: Array(aggregated[name]) for name in order}), metrics

    def _run(self, arguments: list[str]) -> None:
        done = subprocess.run([*self.command, "--json", *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"isthmus could not aggregate the round: {done.stderr.strip()}")
        self.report = json.loads(done.stdout)
        """What the last round's aggregation reported: norms and weights of clients, units that moved."""


def save_arrays(arrays: ArrayRecord, path: Path) -> None:
    save_file({name: np.ascontiguousarray(array.numpy()) for name, array in arrays.items()}, path)
