"""The device that computes, by the name that a user gives it."""

import torch

from natslib.errors import ConfigError, shown


def usable_device(name: str) -> torch.device:
    """Return the device of that name, after a number was read back from it; raises `ConfigError` where none can be.

    A GPU that is not there, or that this torch was not built for, is so refused before any image is read.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, dtype=torch.float64, device=device).item()
    except (RuntimeError, AssertionError, TypeError) as error:  # torch raises each of them
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"cannot compute on the device {shown(name)} ({reason}): allowed are cpu and GPUs that torch finds"
        ) from error
    return device
