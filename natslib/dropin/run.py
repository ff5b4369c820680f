"""`ResultsCount`, one training of one architecture, as the official API hands it out."""

import operator
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
    "{index} --dataset {dataset} --recipe {hp} --keep-weights --out FOLDER`), or read them from a '-full' archive with "
    "the official package"
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
