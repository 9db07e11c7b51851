"""The step of sharpness-aware minimisation, as Foret et al. describe it (2021)."""

import torch


def climb(w, rho, loss_of):
    """Replaces the gradients of `w` by those at the place of length `rho` up the gradient; `w` itself stays."""
    before = {name: value.detach().clone() for name, value in w.items()}
    norm = torch.stack([value.grad.norm() for value in w.values()]).norm()
    with torch.no_grad():
        for value in w.values():
            value.add_(value.grad * (rho / (norm + 1e-12)))
    for value in w.values():
        value.grad = None
    loss_of(w).backward()
    with torch.no_grad():
        for name, value in w.items():
            value.copy_(before[name])
