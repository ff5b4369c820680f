"""Archives in the official format, for benchmarks and tests: the structure of the genuine files, invented numbers."""

import bz2
import pickle
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from natslib.datasets import get_dataset
from natslib.spaces import Space, get_space

SEEDS = {
    "tss": {"12": {"cifar10-valid": (111, 777), None: (111,)}, "200": {None: (777, 888, 999)}},
    "sss": {"01": {None: (777,)}, "12": {None: (777, 888, 999)}, "90": {None: (777,)}},
}
DATASETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
SETS = {"cifar10-valid": ("x-valid", "ori-test"), "cifar10": ("ori-test",)}


def official_record(space: Space, index: int) -> "OrderedDict[str, Any]":
    """Return the record of one architecture as the official per-architecture files hold it (invented accuracies)."""
    rng = np.random.default_rng(index)
    record = OrderedDict()
    for recipe, seeds in SEEDS[space.name].items():
        trials = {}
        for dataset in DATASETS:
            for seed in seeds.get(dataset, seeds[None]):
                trials[(dataset, seed)] = _trial(space, index, recipe, dataset, seed, rng)
        record[recipe] = {
            "arch_index": index,
            "arch_str": space.string(index),
            "all_results": trials,
            "dataset_seed": {name: sorted(s for d, s in trials if d == name) for name in DATASETS},
            "clear_net_done": True,
        }
    return record


def _trial(
    space: Space, index: int, recipe: str, dataset: str, seed: int, rng: np.random.Generator
) -> dict[str, Any]:
    epochs, old = int(recipe), recipe == "200"
    sets = SETS.get(dataset, ("x-valid", "x-test", "ori-test"))
    everywhere = {"cifar10-valid": "x-valid"}.get(
        dataset, "ori-test"
    )  # what the old pipeline logged every epoch
    logged = {name: range(epochs) if not old or name == everywhere else [epochs - 1] for name in sets}
    code = space.codes(np.array([index]))

    def percents() -> dict[Any, float]:
        return {
            f"{name}@{epoch}": float(rng.integers(1000, 9500) / 100)
            for name in sets
            for epoch in logged[name]
        }

    return {
        "name": dataset,
        "net_state_dict": None,
        "train_acc1es": dict(enumerate(rng.uniform(10, 99, epochs).tolist())),
        "train_acc5es": None if old else dict(enumerate(rng.uniform(50, 99, epochs).tolist())),
        "train_losses": dict(enumerate(rng.uniform(0, 3, epochs).tolist())),
        "train_times": OrderedDict.fromkeys(range(epochs), 7.25 + index / 1e4),
        "arch_config": {"arch_str": space.string(index), "class_num": get_dataset(dataset).classes},
        "params": float(space.params_m(code, dataset)[0]),
        "flop": float(space.flops_m(code, dataset)[0]),
        "seed": f"{seed:04d}",
        "epochs": epochs,
        "latency": [np.float64(rng.uniform(0.01, 0.02))],
        "eval_names": list(sets),
        "eval_acc1es": percents(),
        "eval_losses": percents(),
        "eval_times": {f"{name}@{epoch}": 2.5 + index / 1e4 for name in sets for epoch in range(epochs)},
    }


def pack(record: Any) -> bytes:
    """Return the bytes of an official file: pickle protocol 4 in bz2."""
    return bz2.compress(pickle.dumps(record, protocol=4))


def retold(genuine: "OrderedDict[str, Any]", space: Space, index: int) -> "OrderedDict[str, Any]":
    """Change a genuine record in place so that it claims to be architecture `index`, costs included, and return it."""
    code = space.codes(np.array([index]))
    for part in genuine.values():
        part["arch_index"], part["arch_str"] = index, space.string(index)
        for (dataset, _), trial in part["all_results"].items():
            trial["arch_config"]["arch_str"] = space.string(index)
            trial["params"] = float(space.params_m(code, dataset)[0])
            trial["flop"] = float(space.flops_m(code, dataset)[0])
    return genuine


def write_archive(
    folder: Path, space: Space, indices: range | list[int], genuine: tuple[Path, ...] = ()
) -> None:
    """Write the `-simple` directory of those architectures with two processes, leaving files that exist.

    The numbers are those of the `genuine` records in turn, or invented ones when there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(2) as pool:
        parts = np.array_split(np.asarray(indices), max(1, len(indices) // 50))
        for future in [
            pool.submit(_write_some, folder, space.name, part.tolist(), genuine) for part in parts
        ]:
            future.result()


def _write_some(folder: Path, space_name: str, indices: list[int], genuine: tuple[Path, ...]) -> None:
    space = get_space(space_name)
    told = [pickle.loads(bz2.decompress(path.read_bytes())) for path in genuine]
    for index in indices:
        path = folder / f"{index:06d}.pickle.pbz2"
        if not path.exists():
            temporary = path.with_suffix(".tmp")
            record = retold(told[index % len(told)], space, index) if told else official_record(space, index)
            temporary.write_bytes(pack(record))
            temporary.rename(path)


def write_meta(folder: Path, space: Space) -> None:
    """Write `meta.pickle.pbz2`, which the official reader needs beside the records."""
    meta = {
        "meta_archs": list(space.strings()),
        "total_archs": len(space),
        "arch2infos": None,
        "evaluated_indexes": set(),
    }
    (folder / "meta.pickle.pbz2").write_bytes(pack(meta))
