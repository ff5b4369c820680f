"""The device that computes, by the name that a user gives it."""

import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import torch

import natslib
from natslib.errors import ConfigError, shown

ALL_GPUS = "cuda:all"
DRIVER = Path("/proc/driver/nvidia/version")
#: The first GPUs that have TF32, by their compute capability.
TF32_SINCE = (8, 0)


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


def precision(device: torch.device) -> str:
    """Return in what a device convolves and multiplies: "tf32" where it rounds factors to TF32, else "float32"."""
    rounded = device.type == "cuda" and torch.cuda.get_device_capability(device) >= TF32_SINCE
    return "tf32" if rounded and any(_allowed_tf32().values()) else "float32"


def _allowed_tf32() -> dict[str, bool]:
    """Return for what torch lets a GPU round to TF32: of itself, for convolutions alone."""
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    return {"convolutions": cudnn.allow_tf32, "products": products.allow_tf32}


def driver() -> str | None:
    """Return the version of NVIDIA's driver as far as the system tells it."""
    told = DRIVER.read_text() if DRIVER.exists() else ""
    found = re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)\s", told)
    return found[1] if found else None


def _cuda_stamp() -> dict[str, object]:
    cudnn = torch.backends.cudnn
    return {
        "cuda": torch.version.cuda,
        "cudnn": cudnn.version(),
        "driver": driver(),
        "tf32": _allowed_tf32(),
        "deterministic": cudnn.deterministic,
        "benchmark": cudnn.benchmark,
    }


def environment_stamp(device: torch.device, more: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return versions, device, precision, commit and the meaning of the recorded seconds, and `more`, ready for JSON.

    Of a GPU also what its results depend on: CUDA, cuDNN, driver, and how cuDNN chooses its algorithms.
    """
    return {
        "natslib": natslib.__version__,
        "commit": commit(),
        "torch": torch.__version__.split("+")[0],
        "python": platform.python_version(),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "clock": "wall" if device.type == "cuda" else "processor time, shared machine",
        "precision": precision(device),
        **(_cuda_stamp() if device.type == "cuda" else {}),
        **(more or {}),
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


def ready_devices(name: str | None) -> list[torch.device]:
    """Return the devices to train on, one as `ready_device`, or with "cuda:all" every GPU of this machine.

    Raises `ConfigError` where there is none, or where they would compute in different precisions.
    """
    if name != ALL_GPUS:
        return [ready_device(name)]
    # Not one of them is used here: each belongs to a process of its own.
    gpus = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    if not gpus:
        raise ConfigError(f"cannot compute on {ALL_GPUS}: torch finds no GPU; allowed is cpu")
    told = {str(gpu): precision(gpu) for gpu in gpus}
    if len(set(told.values())) > 1:
        raise ConfigError(
            f"the GPUs compute in different precisions ({told}): name one, and a folder for each kind"
        )
    return gpus
