"""The calls that both official packages share; each of the two drop-ins says what is its own."""

import math
import random
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from natslib.dropin.differences import check_differences

if TYPE_CHECKING:
    from natslib.dropin.records import Group
    from natslib.dropin.results import ArchResults
    from natslib.tables.table import Table


class Infos(Mapping[int, dict[str, "ArchResults"]]):
    """The architectures that were asked for, each as a dict hp -> `ArchResults`, made when it is looked at."""

    def __init__(self, api: "Api"):
        self._api = api

    def __getitem__(self, index: int) -> "dict[str, ArchResults]":
        if index not in self._api._at_hand:
            raise KeyError(f"architecture {index!r} was not asked for yet, or is not in the source")
        return {hp: self._api._results(int(index), hp) for hp in self._api._records.hps_of(int(index))}

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._api._at_hand))

    def __len__(self) -> int:
        return len(self._api._at_hand)

    def clear(self) -> None:
        """Do nothing: what scripts clear here to save memory is not kept."""


class Api:
    """Answers from a table what the official API answers from its files, and raises what that raises.

    Beside the arguments of the official constructor there are `differences`, names of `DIFFERENCES`.
    """

    Invalid: ClassVar[type[Exception]] = ValueError
    Results: "ClassVar[type[ArchResults]]"
    _comments: "ClassVar[Mapping[str, str] | None]" = None
    """What `get_more_info` adds on the CIFAR-10 datasets."""
    _at_hand: set[int]
    """The indices of the architectures whose results are at hand."""

    def _open(
        self, table: "Table", filename: str | None, verbose: bool, differences: Collection[str]
    ) -> None:
        from natslib.dropin.records import Records  # here, so that importing a drop-in costs nothing

        self.differences = check_differences(differences)
        self.verbose, self.filename = verbose, filename
        self._records = Records(table)
        self.meta_archs = list(table.space.strings())
        self.archstr2index = {arch: index for index, arch in enumerate(self.meta_archs)}
        self._measured = set(self._records.measured)
        self._damaged = {one["file"]: one["reason"] for one in table.manifest.get("damaged", [])}
        self._groups = self._records.groups
        self.arch2infos_dict = Infos(self)
        self.reset_time()

    def _say(self, call: str, **asked: Any) -> None:
        if self.verbose:
            print(f"Call {call} with {', '.join(f'{name}={value}' for name, value in asked.items())}")

    # the space

    def __getitem__(self, index: Any) -> Any:
        return self.meta_archs[index]

    def __len__(self) -> int:
        return len(self.meta_archs)

    def arch(self, index: int) -> str:
        """Return the string of an architecture."""
        self._say("arch", index=index)
        if index < 0 or index >= len(self):
            raise self.Invalid(f"invalid index {index}: there are architectures 0 to {len(self) - 1}")
        return self.meta_archs[index]

    def random(self) -> int:
        """Return the index of a random architecture, drawn by the standard library's global generator."""
        return random.randint(0, len(self) - 1)

    def query_index_by_arch(self, arch: Any) -> int:
        """Return the index of an index, of a string or of what has a method `tostr`; -1 where it is in no such space.

        Raises `ValueError` for an index out of range. A whole number of numpy's is no index, as officially, unless the
        difference 'numpy-index' is on.
        """
        self._say("query_index_by_arch", arch=arch)
        return self._index_of(arch)

    def _index_of(self, arch: Any) -> int:
        if not isinstance(arch, int) and "numpy-index" in self.differences and hasattr(arch, "__index__"):
            arch = arch.__index__()
        if isinstance(arch, int):
            if 0 <= arch < len(self.meta_archs):
                return arch
            raise ValueError(f"invalid architecture index {arch}: there are 0 to {len(self) - 1}")
        if not isinstance(arch, str) and hasattr(arch, "tostr"):
            arch = arch.tostr()
        return self.archstr2index.get(arch, -1) if isinstance(arch, str) else -1

    # whose results are at hand

    @property
    def avaliable_hps(self) -> list[str]:
        """The hps that there are results of; spelled as officially."""
        return list(self._records.hps)

    def _prepare_info(self, index: Any) -> None:
        """Make an architecture's results available, where that can be."""

    def _found(self, index: Any) -> int:
        """Return the index of an architecture whose results are at hand; raises `ValueError`, or as `_prepare_info`."""
        if index not in self._at_hand:
            self._prepare_info(index)
            if index not in self._at_hand:
                raise ValueError(self._absent(index))
        return int(index)

    def _absent(self, index: Any) -> str:
        if not isinstance(index, int):
            hint = "; give int(index), or create the API with differences=['numpy-index']"
            told = f"{index!r:.120} of type {type(index).__name__} is no index of an architecture"
            return told + (hint if hasattr(index, "__index__") else "")
        if not 0 <= index < len(self):
            return f"no architecture {index}: there are 0 to {len(self) - 1}, and an unknown string or object is -1"
        if reason := self._damaged.get(f"{index:06d}.pickle.pbz2"):
            return f"the record of architecture {index} is damaged: {reason}"
        return (
            f"architecture {index} is not in the source, which has {len(self._measured):,} of {len(self):,}"
        )

    def _results(self, index: int, hp: str) -> "ArchResults":
        return self.Results(self._records, index, hp)

    def query_meta_info_by_index(self, arch_index: int, hp: Any = "12") -> "ArchResults":
        """Return all trainings of an architecture by an hp; raises `ValueError` where there are none."""
        self._say("query_meta_info_by_index", arch_index=arch_index, hp=hp)
        return self._results_by(self._found(arch_index), self._hp(hp))

    def _results_by(self, index: int, hp: str) -> "ArchResults":
        hps = self._records.hps_of(index)
        if hp not in hps:
            raise ValueError(f"no hp {hp!r} of architecture {index}; there are {', '.join(map(repr, hps))}")
        return self._results(index, hp)

    def _hp(self, hp: Any) -> Any:
        return str(hp)

    def query_by_index(self, arch_index: int, dataname: str | None = None, hp: Any = "12") -> Any:
        """Return all trainings of an architecture by an hp, or those on one dataset, `ResultsCount` by seed."""
        self._say("query_by_index", arch_index=arch_index, dataname=dataname, hp=hp)
        info = self.query_meta_info_by_index(arch_index, self._hp(hp))
        if dataname is None:
            return info
        if dataname not in info.get_dataset_names():
            raise ValueError(f"no dataset {dataname!r}; there are {', '.join(info.get_dataset_names())}")
        return info.query(dataname)

    def get_net_config(self, index: int, dataset: str) -> dict[str, Any]:
        """Return the configuration of an architecture's network on a dataset; raises `KeyError` without a run there."""
        self._say("get_net_config", index=index, dataset=dataset)
        index = self._found(index)
        runs = self._results(index, self._records.hps_of(index)[0]).query(dataset)
        config: dict[str, Any] = next(iter(runs.values())).get_config(None)
        return config

    def get_net_param(self, index: int, dataset: str, seed: int | None, hp: Any = "12") -> Any:
        """Raise `ValueError`, for a table has no weights, and say what one can do instead."""
        self._say("get_net_param", index=index, dataset=dataset, seed=seed, hp=hp)
        return self.query_meta_info_by_index(index, hp).get_net_param(dataset, seed)

    # numbers

    def get_more_info(
        self,
        index: Any,
        dataset: str,
        iepoch: int | None = None,
        hp: Any = "12",
        is_random: bool | int = True,
    ) -> dict[str, Any]:
        """Return losses, accuracies and times after an epoch (from 0; None: the last).

        `is_random`: True, of one seed, drawn by the standard library's global generator; False, means over the seeds; a
        whole number, of that seed. Raises `ValueError` for an architecture, epoch or seed that there is not, `KeyError`
        for another dataset or hp.
        """
        if self.verbose:
            self._say(
                "get_more_info", index=index, dataset=dataset, iepoch=iepoch, hp=hp, is_random=is_random
            )
        if hp.__class__ is not str:
            hp = str(hp)
        if index.__class__ is not int or index not in self._at_hand:
            index = self._found(self._index_of(index))
        group = self._groups.get((hp, dataset)) or self._records.group(hp, dataset)
        if is_random is False:
            seed: Any = "mean"
        elif is_random is True:
            seed = random.choice(seeds) if (seeds := group.seeds(index)) else None
        else:
            seed = is_random if isinstance(is_random, int) else None
        if iepoch is not None or seed not in group.answers:
            iepoch = self._checked(group, index, iepoch, seed, is_random)
        if iepoch is None:
            answers = group.answers[seed]
            if (told := answers.told.get(index)) is not None:
                return told.copy()
            row, whole = answers.rows[index].tolist(), answers.whole[index]
        else:
            row = group.row(seed, iepoch, index)
            whole = not math.isnan(sum(row))
        info: dict[str, Any] = dict(zip(group.names, row, strict=True))
        if not whole:
            info = self._some(group, index, info, iepoch)
        if self._comments is not None and group.is_cifar10:
            info["comment"] = self._comments[dataset]
        if iepoch is None and whole:
            answers.keep(index, info)
        return info

    def _checked(self, group: "Group", index: int, iepoch: Any, seed: Any, asked: Any) -> int | None:
        """Return a legal epoch, None for the last, made ready; `seed` is what `asked` stands for, None for nothing.

        Raises `KeyError` where the architecture has no run at all.
        """
        from natslib.dropin.results import check_epoch, check_seed

        if not group.seeds(index) and not group.has_mean(index):
            raise self._no_run(group, index)
        epoch = check_epoch(iepoch, group.epochs, self.Invalid)
        if asked is not False:
            check_seed(asked if seed is None else seed, group.seeds(index))
        if epoch < group.epochs - 1:
            return epoch
        group.answered(seed)
        return None

    def _no_run(self, group: "Group", index: int) -> KeyError:
        return KeyError(f"no run of architecture {index} on {group.dataset!r} at hp {group.hp!r}")

    def _some(self, group: "Group", index: int, told: dict[str, Any], epoch: int | None) -> dict[str, Any]:
        """Return what was recorded; of a set without loss and accuracy nothing, for it was not evaluated."""
        from natslib.dropin.results import Info

        if not group.seeds(index) and not group.has_mean(index):
            raise self._no_run(group, index)
        there = {name: value for name, value in told.items() if value == value}
        sets = {name.partition("-")[0] for name in there if name.endswith(("-loss", "-accuracy"))} | {"train"}
        where = f"architecture {index} on {group.dataset!r} at hp {group.hp!r}"
        kept = {name: value for name, value in there.items() if name.partition("-")[0] in sets}
        return Info(
            kept,
            f"that was not recorded after epoch {group.epochs - 1 if epoch is None else epoch} of {where}",
        )

    def get_cost_info(self, index: int, dataset: str, hp: Any = "12") -> dict[str, Any]:
        """Return FLOPs and parameters (millions), latency and times (s), as `ArchResults.get_compute_costs` does."""
        self._say("get_cost_info", index=index, dataset=dataset, hp=hp)
        return self.query_meta_info_by_index(index, hp).get_compute_costs(dataset)

    def get_latency(self, index: int, dataset: str, hp: Any = "12") -> float | None:
        """Return the seconds of one batch of 256 images."""
        self._say("get_latency", index=index, dataset=dataset, hp=hp)
        latency: float | None = self.get_cost_info(index, dataset, hp)["latency"]
        return latency

    @property
    def used_time(self) -> float:
        """The simulated seconds of all calls of `simulate_train_eval` so far."""
        return self._used_time

    def reset_time(self) -> None:
        """Set `used_time` to zero."""
        self._used_time: float = 0

    def _charge(self, info: dict[str, Any], validation: dict[str, Any], account_time: bool) -> float:
        """Return what an evaluation costs, its epochs and one validation pass, and add it to `used_time`."""
        cost: float = info["train-all-time"]
        if "no-validation-cost" not in self.differences:
            cost += validation["valid-per-time"]
        if account_time:
            self._used_time += cost
        return cost

    def _simulated_latency(self, index: int, dataset: str, hp: str) -> float | None:
        """Return the latency on a dataset; None where the source, as 'published', has no such training of anybody."""
        if dataset not in self._records.datasets.get(hp, []):
            return None
        group = self._records.group(hp, dataset)
        found = [group.last("latency_s", "train", seed)(index) for seed in group.seeds(index)]
        found = [latency for latency in found if latency > 0]
        return sum(found) / len(found) if found else None


def _add_recorded(info: dict[str, Any], names: tuple[str, ...], values: tuple[float, ...]) -> None:
    """Add what was recorded of a set; without loss and accuracy it was not evaluated, whatever its times."""
    if names[0] == "train-loss" or values[0] == values[0] or values[1] == values[1]:
        info |= {name: value for name, value in zip(names, values, strict=True) if value == value}
