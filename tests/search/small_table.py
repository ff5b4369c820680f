"""A table made from raw logs as natslib's own training writes them: a part of the topology space, all epochs."""

import json
from pathlib import Path

import numpy as np

from natslib.spaces import get_space
from natslib.tables import convert, load
from natslib.tables.table import Table

ARCHS = range(0, 15_000, 250)


def small_table(folder: Path) -> Table:
    """Sixty architectures on CIFAR-100, 12 epochs, two seeds; accuracy grows with the epochs."""
    logs = folder / "logs"
    logs.mkdir()
    lines = [json.dumps(record(arch, seed)) for arch in ARCHS for seed in (111, 777)]
    (logs / "runs.jsonl").write_text("\n".join(lines) + "\n")
    convert(logs, folder / "table")
    return load(folder / "table")


def record(arch: int, seed: int) -> dict:
    rng = np.random.default_rng([arch, seed])
    final = 40.0 + 30.0 * np.random.default_rng(arch).random()
    tss, code = get_space("tss"), get_space("tss").codes(np.array([arch]))
    costs = {name: float(getattr(tss, name)(code, "cifar100")[0]) for name in ("params_m", "flops_m")}
    return costs | {
        "space": "tss", "arch_index": arch, "dataset": "cifar100", "recipe": "12", "seed": seed,
        "latency_s": 0.01,
        "splits": {split: curve(final + rng.normal(), time_s) for split, time_s in
                   (("train", 10.0), ("valid", 2.0), ("test", 2.0))},
        "stamp": {"made": "for tests"},
    }  # fmt: skip


def curve(final: float, time_s: float) -> dict:
    accuracy = [final * (epoch + 4) / 15 for epoch in range(12)]
    return {
        "epoch": list(range(12)), "accuracy": accuracy, "loss": [5 - 0.05 * value for value in accuracy],
        "top5": [value + 20.0 for value in accuracy], "time_s": [time_s] * 12,
    }  # fmt: skip
