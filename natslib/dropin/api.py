"""The calls that both official packages share; each of the two drop-ins says what is its own."""

import random
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from natslib.dropin.differences import check_differences

if TYPE_CHECKING:
    from natslib.dropin.results import ArchResults
    from natslib.tables.table import Table


TRAINED = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")


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
        self._own_datasets = sorted(
            {name for names in self._records.datasets.values() for name in names} - {*TRAINED}
        )
        self.arch2infos_dict = Infos(self)
        self._used_time: float = 0

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

    def _known(self, arch: Any) -> int:
        """Return the index of an architecture, however it was named, whose results are at hand; raises as `_found`."""
        index = self._index_of(arch)
        if index < 0:
            raise ValueError(self._absent(arch))
        return self._found(index)

    def _absent(self, index: Any) -> str:
        if isinstance(index, str) or hasattr(index, "tostr"):
            return f"{index!r:.160} is no architecture of the {self._records.space.title} space"
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
