"""`ArchResults` and `ResultsCount`: the objects that the official API hands out, answered by a table.

Only what asks is here. What builds archives (`update`, `state_dict`, `reset_…`) is not: `natslib.tables` does that.
"""

import operator
import random
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from natslib.datasets import DATASETS
from natslib.dropin.records import NAN, Group, Records
from natslib.spaces import PAPER_SCALE, usual_scale
from natslib.tables.format.schema import sum_in_order
from natslib.tables.sources.official import arch_config

NO_WEIGHTS = (
    "trained weights are not part of a table; train the network with natslib (`natslib train --space {space} --arch "
    "{index} --dataset {dataset} --recipe {hp}`), or read them from a '-full' archive with the official package"
)


class Info(dict[str, Any]):
    """An answer of which something was not recorded; asked for that, it says so."""

    def __init__(self, numbers: dict[str, Any], why: str):
        super().__init__(numbers)
        self.why = why

    def __missing__(self, key: str) -> Any:
        raise KeyError(f"no {key!r}: {self.why}")


def recorded(numbers: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the numbers without those that are NaN, which were not recorded."""
    there = {key: value for key, value in numbers.items() if value == value}
    return numbers if len(there) == len(numbers) else Info(there, f"the source has none of {where}")


def mean(values: list[Any]) -> Any:
    """Return the mean, added in order as `nats_bench` does."""
    return sum(values) / len(values)


class ResultsCount:
    """One training of one architecture; the curves are read when they are first asked for."""

    average: ClassVar[Callable[[list[Any]], Any]] = staticmethod(mean)
    BadEpoch: ClassVar[type[Exception]] = ValueError
    BadSet: ClassVar[type[Exception]] = ValueError
    net_state_dict = None

    def __init__(self, records: Records, group: Group, index: int, seed: int):
        self._records, self._group, self._index, self._seed = records, group, index, seed
        self.name, self.epochs = group.dataset, group.epochs
        self.seed = f"{seed:04d}"
        self.params, self.flop = self._last("params_m", "train"), self._last("flops_m", "train")
        latency = self._last("latency_s", "train")
        self.latency = [latency] if latency == latency else None
        self.eval_names = [name for name, split in group.sets.items() if self._has(split)]

    def __repr__(self) -> str:
        costs = f"FLOP={self.flop:.2f}M, Param={self.params:.3f}MB"
        sets = f"{len(self.eval_names)} eval-sets: [{', '.join(self.eval_names)}]"
        arch = self.arch_config["arch_str"]
        return f"{type(self).__name__}({self.name}, arch={arch}, {costs}, seed={self.seed}, {sets})"

    def _last(self, metric: str, split: str) -> float:
        return self._group.last(metric, split, self._seed)(self._index)

    def _has(self, split: str) -> bool:
        loss, accuracy = self._last("loss", split), self._last("accuracy", split)
        return loss == loss or accuracy == accuracy

    # the fields of the official records

    @property
    def arch_config(self) -> dict[str, Any]:
        """The description of the network; 'class_num' is None for a dataset that natslib does not know."""
        facts, space = DATASETS.get(self.name), self._records.space
        scale = usual_scale(self.name) if facts else PAPER_SCALE
        return arch_config(space, space.string(self._index), facts.classes if facts else None, scale)

    @cached_property
    def train_acc1es(self) -> dict[int, float]:
        return self._by_epoch("accuracy", "train")

    @cached_property
    def train_losses(self) -> dict[int, float]:
        return self._by_epoch("loss", "train")

    @cached_property
    def train_acc5es(self) -> dict[int, float] | None:
        return self._by_epoch("top5", "train") or None

    @cached_property
    def train_times(self) -> "OrderedDict[int, float]":
        return OrderedDict(self._by_epoch("time_s", "train"))

    @cached_property
    def eval_acc1es(self) -> dict[str, float]:
        return self._by_set("accuracy")

    @cached_property
    def eval_losses(self) -> dict[str, float]:
        return self._by_set("loss")

    @cached_property
    def eval_times(self) -> dict[str, float]:
        return self._by_set("time_s")

    def _by_set(self, metric: str) -> dict[str, float]:
        return {
            f"{name}@{epoch}": value
            for name in self.eval_names
            for epoch, value in self._by_epoch(metric, self._group.sets[name]).items()
        }

    def _by_epoch(self, metric: str, split: str) -> dict[int, float]:
        """Return what was recorded at which epoch; the last in double precision."""
        curve = self._group.curve(split, self._seed, self._index)
        values = None if curve is None else getattr(curve, metric)
        found = [] if values is None else values.tolist()
        if metric == "time_s":
            found = found * self.epochs if len(found) == 1 else found
        by_epoch = dict(enumerate(found)) | {self.epochs - 1: self._last(metric, split)}
        return {epoch: value for epoch, value in by_epoch.items() if value == value}

    # questions

    def get_latency(self) -> float:
        """Return the seconds of one batch, -1.0 where none was measured."""
        return -1.0 if self.latency is None else sum(self.latency) / len(self.latency)

    def get_total_epoch(self) -> int:
        return self.epochs

    def get_eval_set(self) -> list[str]:
        return self.eval_names

    def get_times(self) -> dict[str, float | None]:
        """Return the seconds of training and of each evaluation set: of an epoch on average, and in total."""
        told: dict[str, float | None] = {}
        for name, split in {
            "train": "train",
            **{name: self._group.sets[name] for name in self.eval_names},
        }.items():
            total = self._total(split)
            told[f"T-{name}@epoch"] = total / self.epochs if total == total else None
            told[f"T-{name}@total"] = total if total == total else None
        return told

    def _total(self, split: str) -> float:
        return self._last("total_time_s", split)

    def get_train(self, iepoch: int | None = None) -> dict[str, Any]:
        """Return loss, accuracy and times after an epoch (from 0; None: the last) on what was trained on."""
        return self._at("train", "train", check_epoch(iepoch, self.epochs, self.BadEpoch))

    def get_eval(self, name: str, iepoch: int | None = None) -> dict[str, Any]:
        """Return loss, accuracy and times after an epoch on an evaluation set ('valid' is 'x-valid')."""
        epoch = check_epoch(iepoch, self.epochs, self.BadEpoch, self.BadSet)
        name = "x-valid" if name == "valid" else name
        if name not in self.eval_names:
            raise self.BadSet(
                f"no evaluation set {name!r} of {self.name}; there are {', '.join(self.eval_names)}"
            )
        told = self._at(name, self._group.sets[name], epoch)
        if "accuracy" not in told:
            raise KeyError(
                f"{name}@{epoch}: nothing was recorded on {name!r} after epoch {epoch} of {self._where}"
            )
        return told

    @property
    def _where(self) -> str:
        return f"{self.name} at hp {self._group.hp!r}, seed {self._seed}, of architecture {self._index}"

    def _at(self, name: str, split: str, epoch: int) -> dict[str, Any]:
        if epoch == self.epochs - 1:
            loss, accuracy, now = (self._last(metric, split) for metric in ("loss", "accuracy", "time_s"))
            total = self._last("total_time_s", split)
        else:
            loss = accuracy = now = total = NAN
            curve = self._group.curve(split, self._seed, self._index)
            if curve is not None and epoch < len(curve.loss):
                loss, accuracy = float(curve.loss[epoch]), float(curve.accuracy[epoch])
                now = float(curve.time_s[min(epoch, len(curve.time_s) - 1)])
                total = sum_in_order(curve.time_s, epoch + 1)
        told = {"iepoch": epoch, "loss": loss, "accuracy": accuracy, "cur_time": now, "all_time": total}
        return recorded(told, f"{name!r} after epoch {epoch} of {self._where}")

    def get_net_param(self, clone: bool = False) -> Any:
        """Raise `ValueError`: a table has no weights."""
        raise no_weights(self._records, self._index, self.name, self._group.hp)

    def get_config(self, str2structure: Callable[[str], Any] | None) -> dict[str, Any]:
        """Return the network's configuration; what describes its cell goes through `str2structure` if there is one."""
        config = self.arch_config
        if config.get("name") == "infer.shape.tiny":
            genotype = config["genotype"]
            genotype = genotype if str2structure is None else str2structure(genotype)
            told = {"name": "infer.shape.tiny", "channels": config["channels"], "genotype": genotype}
        else:
            told = {"name": "infer.tiny", "C": config["channel"], "N": config["num_cells"]}
            cell = config["arch_str"]
            told |= {"arch_str": cell} if str2structure is None else {"genotype": str2structure(cell)}
        return told | {"num_classes": config["class_num"]}


def check_epoch(
    iepoch: Any, epochs: int, beyond: type[Exception], broken: type[Exception] = TypeError
) -> int:
    """Return a legal epoch; raises `beyond` for one that no run has, and `broken` for a number that is not whole.

    Raises `TypeError` for what is no number.
    """
    if iepoch is None:
        return epochs - 1
    allowed = "allowed are None, the last, or a whole number from 0"
    try:
        outside = isinstance(iepoch, bool) or iepoch < 0 or iepoch >= epochs
    except TypeError:
        raise TypeError(f"iepoch is {iepoch!r}; {allowed}") from None
    if outside:
        raise beyond(f"invalid iepoch {iepoch}: this training has epochs 0 to {epochs - 1}; {allowed}")
    if not hasattr(iepoch, "__index__"):
        raise broken(f"iepoch is {iepoch!r}; {allowed}")
    return operator.index(iepoch)


def no_weights(records: Records, index: int, dataset: str, hp: str) -> ValueError:
    """Return what is raised for weights, with what one can do instead."""
    return ValueError(NO_WEIGHTS.format(space=records.space.name, index=index, dataset=dataset, hp=hp))


class ArchResults:
    """All trainings of one architecture by one hp."""

    trial: ClassVar[type[ResultsCount]] = ResultsCount

    def __init__(self, records: Records, index: int, hp: str):
        self._records, self._hp = records, hp
        self.arch_index, self.arch_str = index, records.space.string(index)
        groups = [group for group in records.groups_of(index, hp) if group.seeds(index)]
        self.dataset_seed = {group.dataset: list(group.seeds(index)) for group in groups}
        self.all_results = {
            (group.dataset, seed): self.trial(records, group, index, seed)
            for group in groups
            for seed in group.seeds(index)
        }
        self.clear_net_done = True

    def __repr__(self) -> str:
        runs = f"{len(self.all_results)} runs, clear={self.clear_net_done}"
        return f"{type(self).__name__}(arch-index={self.arch_index}, arch={self.arch_str}, {runs})"

    def _seeds(self, dataset: str) -> list[int]:
        if dataset not in self.dataset_seed:
            told = ", ".join(map(repr, self.dataset_seed)) or "none"
            where = f"architecture {self.arch_index} at hp {self._hp!r}"
            raise KeyError(f"no dataset {dataset!r} of {where}; there are {told}")
        return self.dataset_seed[dataset]

    def _results(self, dataset: str) -> list[ResultsCount]:
        return [self.all_results[dataset, seed] for seed in self._seeds(dataset)]

    def get_compute_costs(self, dataset: str) -> dict[str, Any]:
        """Return FLOPs and parameters in millions, latency and times in seconds: means over the seeds.

        Where seeds disagree on FLOPs or parameters, those of seed 888 answer, as in `nats_bench` since version 1.6.
        """
        results = self._results(dataset)
        latencies = [latency for result in results if (latency := result.get_latency()) > 0]
        average = self.trial.average
        told = {
            "flops": average(self._agreed("flop", dataset, results)),
            "params": average(self._agreed("params", dataset, results)),
            "latency": average(latencies) if latencies else None,
        }
        times = [result.get_times() for result in results]
        for key, first in times[0].items():
            told[key] = None if first is None else average([one[key] for one in times])
        return recorded(told, f"{dataset} at hp {self._hp!r} of architecture {self.arch_index}")

    def _agreed(self, field: str, dataset: str, results: list[ResultsCount]) -> list[float]:
        values = [getattr(result, field) for result in results]
        if len({f"{value:.5f}" for value in values}) == 1:
            return values
        seeds = self._seeds(dataset)
        if 888 not in seeds:
            raise ValueError(
                f"the seeds {seeds} of architecture {self.arch_index} on {dataset} disagree on {field} ({values}), and "
                "none is 888, which answers then"
            )
        return [values[seeds.index(888)]]

    def get_metrics(
        self, dataset: str, setname: str, iepoch: int | None = None, is_random: bool | int = False
    ) -> dict[str, Any]:
        """Return loss, accuracy and times on 'train' or an evaluation set, after an epoch (None: the last).

        `is_random`: False, the mean over the seeds; True, one at random; a whole number, that seed. Raises `KeyError`
        for a dataset that there is no run of and for an epoch after which nothing was recorded, `ValueError` otherwise.
        """
        seeds, results = self._seeds(dataset), self._results(dataset)
        infos = [
            result.get_train(iepoch) if setname == "train" else result.get_eval(setname, iepoch)
            for result in results
        ]
        if is_random is True:
            return infos[random.randint(0, len(infos) - 1)]
        if is_random is not False:
            return infos[seeds.index(check_seed(is_random, seeds))]
        told = {key: [info[key] for info in infos] for key in infos[0] if all(key in info for info in infos)}
        averages = {key: self.trial.average(values) for key, values in told.items()}
        return (
            averages
            if len(averages) == 5
            else Info(averages, f"the source has none of {setname!r} of {dataset}")
        )

    def get_dataset_names(self) -> list[str]:
        return list(self.dataset_seed)

    def get_dataset_seeds(self, dataset: str) -> list[int]:
        return list(self._seeds(dataset))

    def get_net_param(self, dataset: str, seed: int | None = None) -> Any:
        """Raise `ValueError`: a table has no weights. `KeyError` where there is no such dataset."""
        seeds = self._seeds(dataset) if seed is None else self.dataset_seed.get(dataset, [])
        if seed is not None and seed not in seeds:
            raise ValueError(f"no run of seed {seed!r} on {dataset!r}; there are {list(self.all_results)}")
        raise no_weights(self._records, self.arch_index, dataset, self._hp)

    def get_latency(self, dataset: str) -> float:
        """Return the mean latency in seconds; raises `ValueError` where a run has none."""
        latencies = [result.get_latency() for result in self._results(dataset)]
        if min(latencies) <= 0:
            raise ValueError(f"a run of architecture {self.arch_index} on {dataset} has no latency")
        return mean(latencies)

    def get_total_epoch(self, dataset: str | None = None) -> int:
        """Return the number of epochs of the trainings; raises `ValueError` where they differ."""
        if dataset is None:
            results = list(self.all_results.values())
        elif isinstance(dataset, str):
            results = self._results(dataset)
        else:
            raise ValueError(f"dataset is {dataset!r}; allowed are None, all of them, or a name")
        epochs = [result.get_total_epoch() for result in results]
        if len(set(epochs)) > 1:
            raise ValueError(f"trainings of different lengths: {epochs}")
        return epochs[-1]

    def query(self, dataset: str, seed: int | None = None) -> Any:
        """Return the run of a seed, or of None all of a dataset by seed; raises `KeyError`."""
        if seed is None:
            return {seed: self.all_results[dataset, seed] for seed in self._seeds(dataset)}
        if (dataset, seed) not in self.all_results:
            raise KeyError(f"no run of seed {seed!r} on {dataset!r}; there are {list(self.all_results)}")
        return self.all_results[dataset, seed]

    def arch_idx_str(self) -> str:
        return f"{self.arch_index:06d}"

    def clear_params(self) -> None:
        """Do nothing: there are no weights."""


def check_seed(seed: Any, seeds: list[int]) -> int:
    """Return a seed that there is a run of; raises `ValueError`, for a number of numpy's too."""
    if not isinstance(seed, int):
        raise ValueError(
            f"is_random is {seed!r} of type {type(seed).__name__}; allowed are True, False, or a seed as an int"
        )
    if seed not in seeds:
        told = f"there are {seeds}" if seeds else "only the mean over the seeds is known, is_random=False"
        raise ValueError(f"no run of seed {seed}; {told}")
    return seed
