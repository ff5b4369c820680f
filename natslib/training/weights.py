"""The final weights of trained candidates, a file each beside the logs: `torch.load` reads them, tensors alone."""

import io
from pathlib import Path

import torch

from natslib.files import write_atomic
from natslib.nets.candidate import Network
from natslib.training.jobs import Job


def weights_file(folder: Path, job: Job) -> Path:
    """Return where a farm in `folder` keeps the weights of a job."""
    name = f"{job.arch_index:06}-{job.dataset}-{job.recipe}-{job.seed}.pt"
    return folder / job.space / "weights" / name


def keep_weights(folder: Path, job: Job, network: Network) -> None:
    """Write the weights of a trained network and the statistics of its batch norms, whole or not at all."""
    content = io.BytesIO()
    torch.save({name: tensor.cpu() for name, tensor in network.state_dict().items()}, content)
    path = weights_file(folder, job)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content.getvalue())
