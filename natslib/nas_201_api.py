"""A drop-in for the package `nas_201_api` (version 2.0): `from natslib.nas_201_api import NASBench201API`.

The cells of NAS-Bench-201 are NATS-Bench's topology space, with the same indices: an archive of that answers, a table
or 'published'; not the file `NAS-Bench-201-v1_1-096897.pth`, which nothing but torch reads. guides/drop-in.md says what
differs.
"""

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, ClassVar

from natslib.dropin.text import print_information, str2lists, str2matrix
from natslib.dropin.whole import WholeApi

__all__ = ["NASBench201API"]


class NotAsked(NameError, ValueError):
    """An hp or architecture that there is not; the official code means a `ValueError`, and raises a `NameError`."""


class NASBench201API(WholeApi):
    """The 15,625 cells of NAS-Bench-201.

    Opens an archive of NATS-Bench's topology space (folder, .tar or single file), a table of natslib's or 'published'.
    `differences` are names of `natslib.dropin.differences.DIFFERENCES`. Raises `AssertionError` where there is no such
    file, `ValueError` where it is of another search space, `FileNotFoundError` where an archive is not whole, and
    `OSError` where it is damaged.
    """

    Invalid: ClassVar[type[Exception]] = AssertionError
    str2lists = staticmethod(str2lists)
    str2matrix = staticmethod(str2matrix)

    def __init__(
        self,
        file_path_or_dict: Any = None,
        verbose: bool = True,
        *,
        differences: Collection[str] = (),
    ):
        from natslib.dropin.results201 import ArchResults
        from natslib.dropin.source import open_nas_201  # here, so that importing a drop-in costs nothing

        table, path = open_nas_201(file_path_or_dict)
        self.Results = ArchResults  # type: ignore[misc]
        self._open(table, Path(path).name, verbose, differences)
        self._at_hand = self._measured
        self.evaluated_indexes = sorted(self._measured)

    def __repr__(self) -> str:
        counted = f"{len(self.evaluated_indexes)}/{len(self)} architectures"
        return f"{type(self).__name__}({counted}, file={self.filename})"

    def _hp(self, hp: Any) -> Any:
        return hp  # only a str names one

    def get_net_config(self, index: int, dataset: str) -> dict[str, Any]:
        """Return the configuration of an architecture's network on a dataset.

        Raises `KeyError` without a run there, and without the architecture a `NameError` that is a `ValueError` too.
        """
        if index not in self._at_hand:
            raise NotAsked(self._absent(index))
        return super().get_net_config(index, dataset)

    def simulate_train_eval(
        self, arch: Any, dataset: str, hp: Any = "12", account_time: bool = True
    ) -> tuple[float, float | None, float, float]:
        """Return validation accuracy of a random seed, latency, cost, and `used_time`, to which the cost was added.

        On cifar10, the accuracy is that of 'cifar10-valid'. The latency is that of hp '12', as officially.
        """
        index = self.query_index_by_arch(arch)
        if not self._is_simulated(dataset):
            raise AssertionError(
                f"no dataset to simulate {dataset!r} on; allowed are {', '.join(self._simulated)}"
            )
        key = "cifar10-valid" if dataset == "cifar10" else dataset
        info = self.get_more_info(index, key, iepoch=None, hp=hp, is_random=True)
        cost = self._charge(info, info, account_time)
        return info["valid-accuracy"], self._simulated_latency(index, dataset, "12"), cost, self._used_time

    def find_best(
        self,
        dataset: str,
        metric_on_set: str,
        FLOP_max: float | None = None,  # noqa: N803 - the official names
        Param_max: float | None = None,  # noqa: N803
        hp: str = "12",
    ) -> tuple[int, float | None]:
        """Return index and accuracy of the most accurate architecture on 'train', 'valid' or 'test', by mean."""
        self._say("find_best", dataset=dataset, metric_on_set=metric_on_set, hp=hp)
        limits = {"flops_m": FLOP_max, "params_m": Param_max}
        return self._best(dataset, metric_on_set, limits, hp, self.evaluated_indexes)

    def clear_params(self, index: int, hp: Any = None) -> None:
        """Do nothing, for there are no weights; raises `KeyError` without the architecture or `ValueError`."""
        self._say("clear_params", index=index, hp=hp)
        if index not in self._at_hand:
            raise KeyError(self._absent(index))
        if hp is not None:
            self._results_by(int(index), str(hp))

    def reload(self, archive_root: str | None = None, index: int | None = None) -> None:
        """Raise `AssertionError` for what is no folder, else `ValueError`: archives of weights are not read."""
        if archive_root is None:
            archive_root = os.path.join(os.environ["TORCH_HOME"], "NAS-Bench-201-v1_1-archive")
        if not os.path.isdir(archive_root):
            raise AssertionError(f"{archive_root} is not the folder of an archive")
        raise ValueError(
            f"{archive_root}: natslib reads no archive of weights; numbers are those of {self.filename}"
        )

    def _counted(self) -> Iterable[int]:
        return range(len(self))

    def _text_results(self, index: int, hp: Any) -> Any:
        if hp not in self._records.hps_of(index):
            raise NotAsked(f"no hp {hp!r} of architecture {index}; there are {self.avaliable_hps}")
        return self._results(index, hp)

    def _warn(self, message: str) -> None:
        print(message)

    def _lines(self, results: Any, extra: str | None = None) -> list[str]:
        return print_information(results, extra, joint=", ", tested=False)
