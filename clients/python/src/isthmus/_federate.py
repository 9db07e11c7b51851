"""Taking part in a federation with a training loop of PyTorch."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple, Union

from ._adapters import adapter_state, is_peft, load_adapter
from ._errors import IsthmusError
from ._files import temporary_folder
from ._safetensors import read_safetensors, write_safetensors
from ._server import Refusal, Server

if TYPE_CHECKING:
    import torch

#: Seconds until an update that did not fit its round is sent again for it.
_UNTIMELY_PAUSE = 10.0


class Round(NamedTuple):
    """A round of a federation, as a function that trains is told of it."""

    #: Number of the round, from 1.
    number: int
    #: Number of this training for the round: 2 if the update of the first one was refused.
    attempt: int
    #: Seconds until the round closes without this client.
    seconds_left: float
    #: What the server suggests: epochs, batch, optimizer, learningRate, momentum, and proximal, the weight of the
    #: proximal term of FedProx, 0 for none. None stands for a choice that is left to the client.
    training: Mapping[str, Any]


#: What a function that trains returns: the number of its examples, or that and the loss of the round's network on
#: them before training.
Trained = Union[int, Tuple[int, float]]
#: A function that trains a model in place, as the round says.
Fit = Callable[["torch.nn.Module", Round], Trained]
#: Makes the bytes of an update from those of a network; returns them with what the function that trains returned.
Make = Callable[[bytes, Round], Tuple[bytes, Trained]]


def federate(
    url: str,
    token: str,
    model: torch.nn.Module,
    fit: Fit,
    *,
    own: Optional[Mapping[str, torch.Tensor]] = None,
    ca_file: Optional[str] = None,
    patience: float = 600,
    most_bytes: int = 4 * 10**9,
    progress: bool = True,
) -> Dict[str, torch.Tensor]:
    """Takes part in a federation until it is over: PyTorch trains, on examples that stay on this machine.

    Lost connections and a server that is started again are waited for, and uploads go on where they stopped. An update
    that is refused for good is trained anew once.

    Args:
        url: address of the server, such as "http://127.0.0.1:8080".
        token: the client's token, as `isthmus federate token` made it.
        model: the network, whose state dict has the names of the server's. In each round it holds the network of the
            round, with the layers that stay with this client as it left them. Of a model of PEFT the adapter alone
            takes part, whose rank may be another one than the server's if the server states alpha.
        fit: trains the model in place, `fit(model, round)`, and returns the number of examples, or a pair of that and
            the loss of the round's network on them before training.
        own: state dict from which the layers that stay with the client are taken in the first round, such as the one
            that an earlier call returned. Default: they begin as the server's.
        ca_file: certificate of the server in PEM, or of who signed it, for https.
        patience: seconds for which the server may be away.
        most_bytes: largest number of bytes of an answer of the server, which is read into memory.
        progress: whether lines about rounds are written to standard error.

    Returns:
        The state dict of the last network, with the layers that stay with the client; the model holds it, too.

    Raises:
        IsthmusError: if the server refuses the token or the updates, is away for too long, asks for masks or noise of
            clients, has another network than the model, or the federation failed.
    """
    tell = (lambda text: print(text, file=sys.stderr, flush=True)) if progress else (lambda text: None)
    server = Server(url, token, patience=patience, most_bytes=most_bytes, ca_file=ca_file, tell=tell)
    about = _joined(server, tell)
    keep = set(about["keep"])
    kept = {name: tensor for name, tensor in (own or {}).items() if name in keep}
    with temporary_folder() as folder:
        path = os.path.join(folder, "network.safetensors")

        def load(network: bytes) -> Dict[str, torch.Tensor]:
            with open(path, "wb") as file:
                file.write(network)
            state = {**read_safetensors(path), **kept}
            _load(model, state, about)
            return state

        def make(network: bytes, task: Round) -> Tuple[bytes, Trained]:
            before = load(network)
            trained = fit(model, task)
            after = _state_of(model)
            write_safetensors(path, {name: after[name].to(x.dtype) for name, x in before.items() if name not in keep})
            with open(path, "rb") as file:
                return file.read(), trained

        def count() -> None:
            state = _state_of(model)
            kept.update({name: state[name].detach().cpu().clone() for name in keep if name in state})

        return load(take_part(server, about, make, count, tell))


def take_part(
    server: Server,
    about: Mapping[str, Any],
    make: Make,
    count: Callable[[], None],
    tell: Callable[[str], None],
) -> bytes:
    """Carries out the server's tasks; returns the bytes of the last network.

    Args:
        make: makes an update for a round.
        count: called after an update counted, or the round went on without it.
    """
    made: Optional[Tuple[Tuple[int, str], bytes, Trained]] = None
    refusal: Optional[Refusal] = None
    while True:
        task = server.task()
        if task["task"] == "wait":
            continue
        network = server.network(task["network"])
        if task["task"] == "finished":
            if task["reason"] is not None:
                raise IsthmusError(f'The federation "{about["name"]}" failed: {task["reason"]}', exit_code=1)
            return network
        key = (task["round"], task["network"])
        again = refusal if made is not None and made[0] == key else None
        if again is not None and again.status != 422:
            time.sleep(_UNTIMELY_PAUSE)
        if made is None or made[0] != key or (again is not None and again.status == 422):
            attempt = 1 if again is None else 2
            made = (key, *make(network, Round(key[0], attempt, task["secondsLeft"], about["training"])))
        refusal = server.send(key[0], made[1], _claim(about, made[2]))
        if refusal is None:
            count()
            tell(f"round {key[0]}: sent")
            continue
        tell(f"round {key[0]}: {refusal.reason}")
        if refusal.status == 422 and again is not None and again.status == 422:
            raise IsthmusError(
                f'Cannot go on with "{about["name"]}" as an update must count that was trained anew after a refusal: '
                f"{refusal.reason}",
                hint="Look at the examples and the learning rate: nothing more is sent.",
            )


def _joined(server: Server, tell: Callable[[str], None]) -> Dict[str, Any]:
    """Reads what the federation asks for, and refuses what this client cannot do."""
    about = server.about()
    if about["secure"] or (about["privacy"] or {}).get("at") == "clients":
        # An update without its mask or its noise would tell what the federation promises to hide.
        raise IsthmusError(
            f'Cannot take part in "{about["name"]}" as its clients must mask their updates or add noise, and this one does neither',
            hint="`isthmus federate join` does.",
        )
    tell(f'joined "{about["name"]}" as {about["client"]}, of {about["rounds"]} rounds')
    return about


def _state_of(model: torch.nn.Module) -> Mapping[str, torch.Tensor]:
    """Returns the tensors of a model, of a model of PEFT those of its adapter."""
    return adapter_state(model) if is_peft(model) else model.state_dict()


def _load(model: torch.nn.Module, state: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
    if is_peft(model):
        load_adapter(model, state, about)
        return
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise IsthmusError(
            f'Cannot take part in "{about["name"]}" as the model must have the tensors of the server\'s network: {error}'
        ) from error


def _claim(about: Mapping[str, Any], trained: Trained) -> Dict[str, Any]:
    """Returns what is said of an update; in a private federation nothing that has no noise."""
    examples, loss = trained if isinstance(trained, tuple) else (trained, None)
    is_told = loss is not None and about["privacy"] is None
    return {"examples": int(examples), **({"loss": float(loss)} if is_told else {})}
