"""Models of PEFT in a federation: LoRA adapters, whose rank may differ from that of the server's network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional

from ._errors import IsthmusError

if TYPE_CHECKING:
    import torch

#: Names of the factors of LoRA as PEFT saves them; the product of B and A changes a weight.
_FACTOR = re.compile(r"\.lora_(?:embedding_)?(?P<side>[AB])(?:\.weight)?$")


def is_peft(model: Any) -> bool:
    """Says whether a model was made by `peft.get_peft_model`."""
    return hasattr(model, "peft_config") and hasattr(model, "active_adapter")


def adapter_state(model: Any) -> Dict[str, torch.Tensor]:
    """Returns the tensors that PEFT saves of a model, under the names that it saves them by."""
    from peft import get_peft_model_state_dict

    return dict(get_peft_model_state_dict(model, adapter_name=model.active_adapter))


def load_adapter(model: Any, state: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
    """Loads the server's adapter into a model, whose rank may be another one.

    A smaller rank takes the first rows and columns, which are the best approximation, as the server writes them by
    falling singular values. A larger rank keeps its own further rows of A beside zeros in B, so that it computes the
    same and can learn more.
    """
    from peft import set_peft_model_state_dict

    own = adapter_state(model)
    if set(own) != set(state):
        other = sorted(set(own) ^ set(state))[0]
        raise IsthmusError(
            f'Cannot take part in "{about["name"]}" as the adapter must have the tensors of the server\'s: "{other}" is in one of them only'
        )
    fitted = {name: _fitted(name, tensor, own[name], _Scaling(model, about)) for name, tensor in state.items()}
    try:
        set_peft_model_state_dict(model, fitted, adapter_name=model.active_adapter)
    except RuntimeError as error:
        raise IsthmusError(
            f'Cannot take part in "{about["name"]}" as the adapter must have the shapes of the server\'s: {error}'
        ) from error


class _Scaling:
    """The scale of an adapter by its rank, as the server states it."""

    def __init__(self, model: Any, about: Mapping[str, Any]) -> None:
        self.name = about["name"]
        self.config = model.peft_config[model.active_adapter]
        self.stated: Mapping[str, Any] = about.get("adapters") or {"alpha": None, "rankStabilized": False, "rank": None}

    def ratio(self, rank: int, own: int) -> float:
        """Returns the scale of the server's rank as a multiple of the scale of the model's own."""
        alpha: Optional[Any] = self.stated["alpha"]
        problem = None
        if alpha is None:
            problem = f"all adapters must have rank {rank}: the model's has {own}"
        elif own > max(rank, self.stated["rank"] or rank):
            problem = f"an adapter may have rank {max(rank, self.stated['rank'] or rank)}: the model's has {own}"
        elif alpha != "rank" and float(self.config.lora_alpha) != float(alpha):
            problem = f"lora_alpha must be {alpha} for every rank: the model's is {self.config.lora_alpha}"
        elif bool(self.config.use_rslora) != self.stated["rankStabilized"]:
            problem = f"use_rslora must be {self.stated['rankStabilized']}: the model's is {self.config.use_rslora}"
        if problem is not None:
            raise IsthmusError(f'Cannot take part in "{self.name}" as {problem}')
        # alpha / rank, or alpha / sqrt(rank); an alpha that grows with the rank takes one power away.
        power = (0.5 if self.stated["rankStabilized"] else 1.0) - (1.0 if alpha == "rank" else 0.0)
        return (own / rank) ** power


def _side_of(name: str) -> Optional[str]:
    """Returns "A" or "B" for a factor, None for another tensor."""
    found = _FACTOR.search(name)
    return None if found is None else found["side"]


def _fitted(name: str, tensor: torch.Tensor, own: torch.Tensor, scaling: _Scaling) -> torch.Tensor:
    import torch

    side = _side_of(name)
    if side is None or tensor.shape == own.shape:
        return tensor
    axis = 0 if side == "A" else 1
    rank, mine = tensor.shape[axis], own.shape[axis]
    ratio = scaling.ratio(rank, mine)
    part = tensor.narrow(axis, 0, min(rank, mine))
    if mine > rank:
        more = own.narrow(axis, rank, mine - rank).to(tensor)
        part = torch.cat([part, more if axis == 0 else torch.zeros_like(more)], axis)
    return part if axis == 0 else part * ratio
