"""Parameters and FLOPs of a network, counted on its modules as the benchmark counts them."""

import torch
from torch import Tensor, nn


def count_params(network: nn.Module) -> int:
    """Return the number of learnable scalars; the benchmark's unit "MB" means a million of them."""
    return sum(parameter.numel() for parameter in network.parameters())


def module_flops(module: nn.Module, output: Tensor) -> int:
    """Return the multiply-accumulates for one image: convolutions and linear layers (with bias) only."""
    if isinstance(module, nn.Conv2d):
        return module.weight.numel() * output.shape[2] * output.shape[3]
    if isinstance(module, nn.Linear):
        return module.weight.numel() + module.bias.numel()
    return 0


@torch.inference_mode()
def count_flops(network: nn.Module, in_channels: int, resolution: int) -> int:
    """Return the FLOPs for one image of `resolution` squared pixels, found by pushing a blank one through.

    The network keeps its mode, its weights and its running statistics; no random number is drawn.
    """
    total = 0

    def add(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += module_flops(module, output)

    was_training = network.training
    hooks = [m.register_forward_hook(add) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    weight = next(network.parameters())
    network.eval()(torch.zeros(1, in_channels, resolution, resolution, device=weight.device))
    for hook in hooks:
        hook.remove()
    network.train(was_training)
    return total
