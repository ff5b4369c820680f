"""One candidate trained in one call."""

from pathlib import Path

from natslib.spaces import Arch, get_space
from natslib.training.candidates import train_candidate
from natslib.training.device import environment_stamp, ready_device
from natslib.training.jobs import Job
from natslib.training.names import is_small, log_name
from natslib.training.recipes import get_recipe
from natslib.training.sources import load_images


def train_one(
    space: str,
    arch: Arch,
    dataset: str,
    *,
    recipe: str = "12",
    seed: int = 777,
    scale: str | None = None,
    device: str | None = None,
    data: str | Path = "data",
) -> dict[str, object]:
    """Train one architecture as `natslib train` does, and return its record: every epoch of every split, and costs.

    `dataset`: an embedded one, one of the paper's (in the folder `data`), or the path of your own images, which need a
    `scale`, "small" or "paper". `device`: by default a GPU where there is one. The process keeps one thread and
    flushes denormal numbers from then on, as the command does. Raises `UnknownName`, `UnknownArchitecture`,
    `ConfigError`, and `BadSource` for images that are missing or damaged.
    """
    job = Job(space, get_space(space).index(arch), log_name(dataset), recipe, seed)
    small = is_small(dataset, scale)
    found = get_recipe(recipe, small=small)
    where = ready_device(device)
    images = load_images(dataset, Path(data), verify=True).to(where)
    stamp = environment_stamp(where, {"scale": "small" if small else "paper"})
    return train_candidate(job, images, found, stamp)
