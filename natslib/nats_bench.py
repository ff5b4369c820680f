"""A drop-in for the package `nats_bench` (version 1.8): `from natslib.nats_bench import create`.

The official archive of NATS-Bench is converted once, into a cache; then the same calls give the same numbers, and raise
where they raised. guides/drop-in.md says what differs.
"""

import os
import warnings
from collections.abc import Collection
from typing import Any, ClassVar

from natslib.dropin.text import COMMENTS, OPERATIONS, print_information, str2lists, str2matrix
from natslib.dropin.whole import WholeApi

__all__ = ["NATSsize", "NATStopology", "create", "search_space_info", "version"]

TSS, SSS = ("tss", "topology"), ("sss", "size")


def version() -> str:
    """Return the version of `nats_bench` whose answers these are."""
    return "v1.8"


def create(
    file_path_or_dict: Any,
    search_space: str,
    fast_mode: bool = False,
    verbose: bool = True,
    *,
    differences: Collection[str] = (),
) -> "NATStopology | NATSsize":
    """Open an official archive, a table of natslib's or 'published', and return the API of its search space.

    As officially, `fast_mode` goes with the folder of an archive, and False with the single file; None looks for them
    in $TORCH_HOME or ~/.torch. A downloaded .tar, the folder of a table and 'published' go with both. `differences`
    are names of `natslib.dropin.differences.DIFFERENCES`. Raises `ValueError` where there is no such file or it is of
    another search space, `FileNotFoundError` where an archive is not whole, and `OSError` where it is damaged.
    """
    kinds: dict[str, type[NATStopology | NATSsize]] = dict.fromkeys(TSS, NATStopology)
    kinds |= dict.fromkeys(SSS, NATSsize)
    if not isinstance(search_space, str) or search_space not in kinds:
        raise ValueError(f"unknown search space {search_space!r}; allowed are {', '.join(map(repr, kinds))}")
    return kinds[search_space](file_path_or_dict, fast_mode, verbose, differences=differences)


def search_space_info(main_tag: str, aux_tag: str | None) -> dict[str, Any]:
    """Return what one can choose in a search space.

    It is that of 'nats-bench' with 'tss' or 'sss', or of 'nas-bench-201' with None; raises `ValueError` for others.
    """
    topology = {"op_names": list(OPERATIONS), "num_nodes": 4}
    if main_tag == "nas-bench-201" and aux_tag is None:
        return topology
    if main_tag == "nats-bench" and aux_tag in TSS:
        return topology
    if main_tag == "nats-bench" and aux_tag in SSS:
        return {"candidates": [8, 16, 24, 32, 40, 48, 56, 64], "num_layers": 5}
    allowed = "'nats-bench' with 'tss' or 'sss', 'nas-bench-201' with None"
    raise ValueError(f"no search space {main_tag!r} with {aux_tag!r}; allowed are {allowed}")


class NatsApi(WholeApi):
    """What both search spaces of NATS-Bench share."""

    _comments = COMMENTS
    _space: ClassVar[str]
    _base_name: ClassVar[str]
    _search_space_name: ClassVar[str]
    _full_train_epochs: ClassVar[int]
    _tested: ClassVar[bool]
    """Whether the text on CIFAR-10 trained on half of the images shows its test."""

    def __init__(
        self,
        file_path_or_dict: Any = None,
        fast_mode: bool = False,
        verbose: bool = True,
        *,
        differences: Collection[str] = (),
    ):
        from natslib.dropin.results import ArchResults
        from natslib.dropin.source import open_nats  # here, so that importing a drop-in costs nothing

        table, path = open_nats(file_path_or_dict, self._space, self._base_name, fast_mode)
        self.Results = ArchResults  # type: ignore[misc]
        self._fast_mode, self._archive_dir = fast_mode, path if fast_mode else None
        self._open(table, os.path.basename(path), verbose, differences)
        self._at_hand: set[int] = set() if fast_mode else set(self._measured)
        if verbose:
            print(f"natslib: {self!r}")

    def __repr__(self) -> str:
        counted = f"{len(self._at_hand)}/{len(self)} architectures"
        return f"{type(self).__name__}({counted}, fast_mode={self.fast_mode}, file={self.filename})"

    @property
    def search_space_name(self) -> str:
        """'topology' or 'size'."""
        return self._search_space_name

    @property
    def is_topology(self) -> bool:
        """Whether this is the topology space."""
        return self._space == "tss"

    @property
    def is_size(self) -> bool:
        """Whether this is the size space."""
        return self._space == "sss"

    @property
    def full_train_epochs(self) -> int:
        """The epochs of the longest training."""
        return self._full_train_epochs

    @property
    def full_epochs_in_paper(self) -> int:
        """The epochs of the longest training."""
        return self._full_train_epochs

    @property
    def fast_mode(self) -> bool:
        """Whether architectures come to hand one by one, as they are asked for."""
        return self._fast_mode

    @property
    def archive_dir(self) -> str | None:
        """The folder that was opened in fast mode."""
        return self._archive_dir

    @property
    def evaluated_indexes(self) -> set[int]:
        """The indices of the architectures at hand; in fast mode, of those that were asked for."""
        return self._at_hand

    def reset_fast_mode(self, fast_mode: bool) -> None:
        """Set whether architectures come to hand as they are asked for; those at hand stay."""
        self._fast_mode = fast_mode

    def reset_archive_dir(self, archive_dir: str | None) -> None:
        """Raise `ValueError` for any folder but the one that was opened."""
        self._check_same(archive_dir)

    def _check_same(self, folder: str | None) -> None:
        if not isinstance(folder, str) or not os.path.isdir(folder):
            raise ValueError(f"{folder!r} is not the folder of an archive")
        if self._archive_dir is None or os.path.realpath(folder) != os.path.realpath(self._archive_dir):
            raise ValueError(
                f"{folder}: this API answers from {self._archive_dir or self.filename}; create one for that folder"
            )

    def reload(self, archive_root: str | None = None, index: int | None = None) -> None:
        """Make an architecture, or of None all, available from the folder that was opened; numbers stay as they are.

        Raises `ValueError` for another folder or index, `AssertionError` for an architecture that has no record.
        """
        self._say("reload", archive_root=archive_root, index=index)
        if archive_root is None:
            archive_root = os.path.join(os.environ["TORCH_HOME"], f"{self._base_name}-full")
            if not os.path.isdir(archive_root):
                self._warn(f"{archive_root} is not there; taken is {self._archive_dir}")
                archive_root = self._archive_dir
        self._check_same(archive_root)
        for one in range(len(self)) if index is None else [index]:
            self._load(one)

    def _load(self, index: Any) -> None:
        try:
            inside = 0 <= index < len(self)
        except TypeError:
            raise TypeError(self._absent(index)) from None
        if not inside or not hasattr(index, "__index__"):
            raise ValueError(self._absent(index))
        if int(index) not in self._measured:
            raise self._without_record(int(index))
        self._at_hand.add(int(index))

    def _without_record(self, index: int) -> Exception:
        from natslib.dropin.source import Unreadable

        is_damaged = f"{index:06d}.pickle.pbz2" in self._damaged
        return (Unreadable if is_damaged else AssertionError)(self._absent(index))

    def _prepare_info(self, index: Any) -> None:
        if index.__class__ is int and index in self._measured and self._fast_mode:
            self._at_hand.add(index)
        elif self._fast_mode:
            for one in range(len(self)) if index is None else [index]:  # None is all, as in `reload`
                self._load(one)

    def _warn(self, message: str) -> None:
        warnings.warn(message, stacklevel=3)

    def clear_params(self, index: int, hp: Any = None) -> None:
        """Do nothing, for there are no weights; raises `ValueError` for an hp that the architecture has not."""
        self._say("clear_params", index=index, hp=hp)
        if index not in self._at_hand:
            self._warn(f"architecture {index} is not at hand: there is nothing to clear")
        elif hp is not None:
            self._results_by(index, str(hp))

    def simulate_train_eval(
        self, arch: Any, dataset: str, iepoch: int | None = None, hp: Any = "12", account_time: bool = True
    ) -> tuple[float, float | None, float, float]:
        """Return validation accuracy of a random seed, latency, cost, and `used_time`, to which the cost was added.

        On cifar10, the accuracy is that of 'cifar10-valid'. Where none was recorded after that epoch, as in the longest
        trainings of the topology space on the other datasets, the answer is the accuracy on the whole test set, as
        officially; the first time with a warning, and not at all with the difference 'no-fallback'.
        """
        index = self.query_index_by_arch(arch)
        if not self._is_simulated(dataset):
            raise ValueError(
                f"no dataset to simulate {dataset!r} on; allowed are {', '.join(self._simulated)}"
            )
        key = "cifar10-valid" if dataset == "cifar10" else dataset
        info = validation = self.get_more_info(index, key, iepoch=iepoch, hp=hp, is_random=True)
        accuracy = info["valid-accuracy"] if "valid-accuracy" in info else self._fallback(info)
        if "valid-accuracy" not in info:
            validation = self.get_more_info(index, dataset, iepoch=None, hp=hp, is_random=True)
        cost = self._charge(info, validation, account_time)
        return accuracy, self._simulated_latency(index, dataset, str(hp)), cost, self._used_time

    def _fallback(self, info: dict[str, Any]) -> float:
        told = "no validation accuracy was recorded after that epoch"
        if "no-fallback" in self.differences:
            raise KeyError(f"{told}; without the difference 'no-fallback', the whole test set answers")
        accuracy: float = info["valtest-accuracy"]
        if not self._has_fallen_back:
            self._has_fallen_back = True
            self._warn(
                f"{told}: simulate_train_eval returns the accuracy on the whole test set, as nats_bench does; "
                "differences=['no-fallback'] raises instead"
            )
        return accuracy

    _has_fallen_back = False

    def find_best(
        self,
        dataset: str,
        metric_on_set: str,
        flop_max: float | None = None,
        param_max: float | None = None,
        hp: str = "12",
        enforce_all: bool | None = None,
    ) -> tuple[int, float | None]:
        """Return index and accuracy of the most accurate architecture on 'train', 'valid' or 'test', means over seeds.

        `enforce_all`: of the whole space, for which None stands in fast mode; else of the architectures at hand.
        """
        self._say("find_best", dataset=dataset, metric_on_set=metric_on_set, hp=hp)
        if enforce_all is None:
            enforce_all = self.fast_mode
        if enforce_all and not self.fast_mode:
            raise AssertionError(
                "enforce_all goes with fast_mode=True; without it all architectures are at hand"
            )
        limits = {"flops_m": flop_max, "params_m": param_max}
        if not enforce_all:
            return self._best(dataset, metric_on_set, limits, hp, self._at_hand)
        first_absent = next((index for index in range(len(self)) if index not in self._measured), len(self))
        best = self._best(dataset, metric_on_set, limits, hp, range(first_absent))
        for index in range(min(first_absent + 1, len(self))):
            self._load(index)
        return best

    def _lines(self, results: Any, extra: str | None = None) -> list[str]:
        return print_information(results, extra, joint=" & ", tested=self._tested)


class NATStopology(NatsApi):
    """The topology search space: 15,625 cells."""

    _space, _search_space_name, _base_name = "tss", "topology", "NATS-tss-v1_0-3ffb9"
    _full_train_epochs, _tested = 200, False
    str2lists = staticmethod(str2lists)
    str2matrix = staticmethod(str2matrix)

    def get_unique_str(self, arch: Any) -> str:
        """Return a string that is the same for most cells that are the same network (the paper's 6.5K).

        For an unknown architecture the answer is that of the last one, as officially; with a warning.
        """
        from natslib.spaces.topology import unique_string

        index = self.query_index_by_arch(arch)
        if index < 0:
            self._warn(
                f"unknown architecture {arch!r:.80}: get_unique_str answers for the last one, as nats_bench does"
            )
        return unique_string(self.meta_archs[index], "zero")


class NATSsize(NatsApi):
    """The size search space: 32,768 networks."""

    _space, _search_space_name, _base_name = "sss", "size", "NATS-sss-v1_0-50262"
    _full_train_epochs, _tested = 90, True
