"""Archives in the official format, for benchmarks and tests: the structure of the genuine files, invented numbers."""

import bz2
import pickle
from collections import OrderedDict
from collections.abc import Iterable
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


def retold(genuine: bytes, space: Space, index: int) -> "OrderedDict[str, Any]":
    """Return a genuine record, unpacked but pickled, told anew as one of architecture `index`, its costs included.

    No two are told alike. Accuracies move by multiples of one image, losses and times by a factor, so that they pack as
    well as the genuine ones do. Of recipe '200' half of the architectures lack seed 999, as in the archive, and seeds
    stand in any order.
    """
    record, rng = pickle.loads(genuine), np.random.default_rng(index)
    code, factors = space.codes(np.array([index])), dict(zip(_CLOCKS, rng.uniform(0.5, 2, 2), strict=True))
    lacking = {999} if space.name == "tss" and rng.random() < 0.48 else set()
    for recipe, part in record.items():
        part["arch_index"], part["arch_str"] = index, space.string(index)
        _reseed(part, lacking if recipe == "200" else set(), rng)
        for (dataset, _), trial in part["all_results"].items():
            for name in {"arch_str", "channels"} & set(trial["arch_config"]):
                trial["arch_config"][name] = space.string(index)
            trial["params"] = space.params_m(code, dataset)[0]
            trial["flop"] = float(space.flops_m(code, dataset)[0])
            trial["latency"] = [np.float64(rng.uniform(0.01, 0.02))]
            for name in filter(trial.get, _CURVES):
                _renumber(trial[name], name, factors.get(name), rng)
    return record


_CLOCKS = ("train_times", "eval_times")
_CURVES = (*_CLOCKS, "train_losses", "eval_losses", "train_acc1es", "train_acc5es", "eval_acc1es")


def _reseed(part: dict[str, Any], lacking: set[int], rng: np.random.Generator) -> None:
    seeds = sorted({seed for _, seed in part["all_results"]})
    new = dict(zip(seeds, rng.permutation(seeds).tolist(), strict=True)) if len(seeds) == 3 else {}
    results = {}
    for (dataset, old), trial in part["all_results"].items():
        if (seed := new.get(old, old)) not in lacking:
            results[dataset, seed] = trial | {"seed": f"{seed:04d}"}
    part["all_results"] = results
    part["dataset_seed"] = {name: sorted(s for d, s in results if d == name) for name in DATASETS}


def _renumber(values: dict[Any, float], name: str, factor: float | None, rng: np.random.Generator) -> None:
    numbers = np.array(list(values.values()))
    if factor is not None:
        numbers *= factor
    elif name.endswith("losses"):
        numbers *= rng.uniform(0.9, 1.1, len(numbers))
    else:
        numbers = np.clip(numbers + 0.004 * rng.integers(-500, 500, len(numbers)), 0, 100)
    values.update(zip(values, numbers.tolist(), strict=True))


def write_archive(folder: Path, space: Space, indices: Iterable[int], genuine: tuple[Path, ...] = ()) -> None:
    """Write the `-simple` directory of those architectures with two processes, leaving files that exist.

    They are the `genuine` records told anew in turn, or invented ones when there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = list(indices)
    with ProcessPoolExecutor(2) as pool:
        parts = np.array_split(numbers, max(1, len(numbers) // 50))
        for future in [
            pool.submit(_write_some, folder, space.name, part.tolist(), genuine) for part in parts
        ]:
            future.result()


def _write_some(folder: Path, space_name: str, indices: list[int], genuine: tuple[Path, ...]) -> None:
    space = get_space(space_name)
    told = [bz2.decompress(path.read_bytes()) for path in genuine]
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
