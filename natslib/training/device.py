"""The device that computes, by the name that a user gives it."""

import platform
import subprocess
from pathlib import Path

import torch

import natslib
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


def device_name(device: torch.device) -> str:
    """Return the name of the GPU, or the model name of the processor as far as the system tells it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def commit() -> str | None:
    """Return the commit of the checkout that natslib runs from; None outside one.

    A natslib that is installed somewhere below another project's checkout is not of that project's commit.
    """
    where = Path(natslib.__file__).parent
    asked = ["git", "rev-parse", "--show-prefix", "--short=12", "HEAD"]
    try:
        done = subprocess.run(asked, cwd=where, capture_output=True, text=True)
    except OSError:  # there is no git, or it cannot be run
        return None
    prefix, _, found = done.stdout.partition("\n")
    return found.strip() if prefix == f"{where.name}/" and done.returncode == 0 else None


def environment_stamp(device: torch.device) -> dict[str, object]:
    """Return versions, device, commit and the meaning of the recorded seconds, ready for JSON."""
    return {
        "natslib": natslib.__version__,
        "commit": commit(),
        "torch": torch.__version__.split("+")[0],
        "python": platform.python_version(),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "clock": "wall" if device.type == "cuda" else "processor time, shared machine",
    }


def ready_device(name: str | None) -> torch.device:
    """Return a device that is set up to train on: the one of that name, or a GPU where there is one and else the CPU.

    One thread on a CPU (one process a core is fastest), deterministic kernels on a GPU. Raises `ConfigError` where the
    device cannot be used.
    """
    device = usable_device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cpu":
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
    torch.backends.cudnn.deterministic = True
    return device
