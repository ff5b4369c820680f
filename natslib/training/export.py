"""Write our raw logs in the layout of the official archives: one bz2 pickle an architecture, read by `nats_bench`."""

import bz2
import os
import pickle
import shutil
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from natslib.errors import BadSource, ConfigError, NatslibError
from natslib.files import write_atomic
from natslib.spaces import SIZE, TOPOLOGY, Scale, get_space
from natslib.tables.sources.official import arch_config, evaluation_sets

Record = Mapping[str, Any]


def _by_epoch(columns: Mapping[str, list[Any]], name: str) -> dict[int, float]:
    """Return one column as the official dict of epochs, NaN for what was not finite; raises `BadSource` without it.

    Epochs without an accuracy, after which the split was not evaluated, are left out as in the official files.
    """
    if name not in columns:  # own logs may lack it, the official files never do
        raise BadSource(
            f"a record has no {name!r}, without which there is no official one; train it with natslib"
        )
    rows = zip(columns["epoch"], columns[name], columns["accuracy"], strict=True)
    return {
        epoch: float("nan") if value is None else value
        for epoch, value, accuracy in rows
        if accuracy is not None
    }


def official_trial(record: Record, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the 16 fields of one run as the official files hold them."""
    splits = record["splits"]
    names = {split: name for name, split in evaluation_sets(record["dataset"]).items()}
    evaluated = {names[split]: columns for split, columns in splits.items() if split != "train"}

    def evaluations(column: str) -> dict[str, float]:
        found = {name: _by_epoch(columns, column) for name, columns in evaluated.items()}
        return {f"{name}@{epoch}": value for name, values in found.items() for epoch, value in values.items()}

    return {
        "name": record["dataset"],
        "net_state_dict": None,
        "train_acc1es": _by_epoch(splits["train"], "accuracy"),
        "train_acc5es": _by_epoch(splits["train"], "top5"),
        "train_losses": _by_epoch(splits["train"], "loss"),
        "train_times": OrderedDict(_by_epoch(splits["train"], "time_s")),
        "arch_config": dict(config),
        "params": record["params_m"],
        "flop": record["flops_m"],
        "seed": f"{record['seed']:04d}",
        "epochs": len(splits["train"]["epoch"]),
        "latency": [record["latency_s"]],
        "eval_names": list(evaluated),
        "eval_acc1es": evaluations("accuracy"),
        "eval_times": evaluations("time_s"),
        "eval_losses": evaluations("loss"),
    }


def official_record(records: Iterable[Record], config: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return recipe -> the official record of one architecture; `config` holds the network's description a dataset."""
    recipes: dict[str, Any] = {}
    for record in sorted(records, key=lambda one: (one["dataset"], one["seed"])):
        index, dataset, seed = record["arch_index"], record["dataset"], record["seed"]
        empty = {"arch_index": index, "arch_str": config[dataset]["arch_str"], "all_results": OrderedDict()}
        entry = recipes.setdefault(record["recipe"], empty | {"dataset_seed": {}, "clear_net_done": True})
        entry["all_results"][dataset, seed] = official_trial(record, config[dataset])
        entry["dataset_seed"].setdefault(dataset, []).append(seed)
    return OrderedDict(sorted(recipes.items()))


def _write(path: Path, content: object) -> None:
    write_atomic(path, bz2.compress(pickle.dumps(content, protocol=4)))


def export_official(
    records: Iterable[Record], folder: Path, *, classes: Mapping[str, int], scale: Scale
) -> int:
    """Write raw-log records of one space to `folder`, which must not exist; return the number of architectures.

    `classes` is the number of classes of each dataset, `scale` that of the networks. Open the folder with
    `nats_bench.create(folder, "tss", fast_mode=True)`. Raises `ConfigError` for records of several spaces or of one
    that has no official archive, for datasets without a number of classes, and for a folder that exists.
    """
    by_arch: dict[int, list[Record]] = {}
    spaces, datasets = set(), set()
    for record in records:
        by_arch.setdefault(record["arch_index"], []).append(record)
        spaces.add(record["space"])
        datasets.add(record["dataset"])
    if len(spaces) != 1:
        raise ConfigError(f"records of the spaces {sorted(spaces)}: allowed is exactly one")
    space = get_space(spaces.pop())
    if space not in (TOPOLOGY, SIZE):
        raise ConfigError(
            f"records of the space {space.name}: official archives are of {TOPOLOGY.name} or {SIZE.name}"
        )
    if unknown := sorted(datasets - set(classes)):
        raise ConfigError(
            f"records of {', '.join(unknown)}: numbers of classes are given for {', '.join(classes)}"
        )
    if os.path.lexists(folder):
        raise ConfigError(f"{folder} exists: an export goes to a new folder")
    with _whole_folder(folder) as begun:
        archs = list(space.strings())
        meta = {
            "meta_archs": archs,
            "total_archs": len(archs),
            "arch2infos": None,
            "evaluated_indexes": set(),
        }
        _write(begun / "meta.pickle.pbz2", meta)
        for index, some in by_arch.items():
            config = {name: arch_config(space, archs[index], count, scale) for name, count in classes.items()}
            _write(begun / f"{index:06d}.pickle.pbz2", official_record(some, config))
    return len(by_arch)


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside `folder` to write to, named `folder` when all is there: `nats_bench` would open a part."""
    begun = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        yield begun
        begun.rename(folder)
    except OSError as error:
        raise NatslibError(
            f"cannot write {folder}: {error.strerror or error}; nothing of it is kept"
        ) from error
    finally:
        shutil.rmtree(begun, ignore_errors=True)
