"""The calls that go over all architectures, and those that print."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from natslib.dropin.api import TRAINED
from natslib.dropin.asking import NumbersApi

if TYPE_CHECKING:
    import numpy as np

    from natslib.dropin.records import Group
    from natslib.dropin.results import ArchResults

RENAMED = {
    ("cifar10", "valid"): ("cifar10-valid", "x-valid"),
    ("cifar10", "test"): ("cifar10", "ori-test"),
    ("cifar100", "valid"): ("cifar100", "x-valid"),
    ("cifar100", "test"): ("cifar100", "x-test"),
    ("ImageNet16-120", "valid"): ("ImageNet16-120", "x-valid"),
    ("ImageNet16-120", "test"): ("ImageNet16-120", "x-test"),
}
"""What `find_best` takes a dataset and a set to mean."""


class WholeApi(NumbersApi):
    """An API that also looks at all architectures, and prints."""

    def statistics(self, dataset: str, hp: Any) -> dict[int, int]:
        """Return how many architectures have how many runs; raises `ValueError` for an unknown dataset."""
        self._say("statistics", dataset=dataset, hp=hp)
        allowed = (*TRAINED, *self._own_datasets)
        if dataset not in allowed:
            raise ValueError(f"unknown dataset {dataset!r}; allowed are {', '.join(allowed)}")
        numbers: dict[int, int] = {}
        for index in self._counted():
            groups = self._records.groups_of(index, str(hp))
            if not groups:
                raise KeyError(
                    f"no run of architecture {index} at hp {hp!r}; the source has {self.avaliable_hps}"
                )
            count = sum(len(group.seeds(index)) for group in groups if group.dataset == dataset)
            numbers[count] = numbers.get(count, 0) + 1
        return numbers

    def _counted(self) -> Iterable[int]:
        return self._at_hand

    def _best(
        self,
        dataset: str,
        metric_on_set: str,
        limits: dict[str, float | None],
        hp: Any,
        indexes: Collection[int],
    ) -> tuple[int, float | None]:
        """Return the most accurate of some architectures within `limits` of 'flops_m' and 'params_m'; -1 if none is.

        Of equals the lowest index wins.
        """
        import numpy as np

        if not indexes:
            return -1, None
        dataset, setname = RENAMED.get((dataset, metric_on_set), (dataset, metric_on_set))
        group, rows = self._records.group(hp, dataset), np.array(sorted(indexes))
        if lacking := [index for index in rows.tolist() if not (group.seeds(index) or group.has_mean(index))]:
            raise KeyError(f"no run of architecture {lacking[0]} on {dataset!r} at hp {hp!r}")
        kept = np.ones(len(rows), bool)
        for metric, limit in limits.items():
            if limit is not None:
                kept &= ~(self._costs(group, metric, rows) > limit)
        if not kept.any():
            return -1, None
        accuracies = self._accuracies(group, setname, rows[kept])
        at = int(np.argmax(accuracies))
        return int(rows[kept][at]), float(accuracies[at])

    def _accuracies(self, group: "Group", setname: str, rows: "np.ndarray") -> "np.ndarray":
        sets = {"train": "train", "valid": group.sets.get("x-valid", "")} | group.sets
        if not sets.get(setname):
            allowed = ", ".join(sets)
            raise self.Results.trial.BadSet(f"no set {setname!r} of {group.dataset!r}; allowed are {allowed}")
        read = group.last("accuracy", sets[setname], "mean")
        found = _array(read, rows)
        if (lacking := rows[found != found]).size:
            raise KeyError(f"no accuracy on {setname!r} of architecture {lacking[0]} on {group.dataset!r}")
        return found

    def _costs(self, group: "Group", metric: str, rows: "np.ndarray") -> "np.ndarray":
        """Return means over the seeds; where seeds disagree, what `get_compute_costs` makes of it."""
        import numpy as np

        seeds = sorted({seed for index in rows.tolist() for seed in group.seeds(index)})
        runs = np.stack([_array(group.last(metric, "train", seed), rows) for seed in seeds])
        there = ~np.isnan(runs)
        total = np.zeros(len(rows))
        for run in runs:
            total += np.nan_to_num(run)
        with np.errstate(invalid="ignore"):
            found = total / there.sum(axis=0)
        if np.isnan(found).any():
            raise KeyError(f"no {metric} of architecture {rows[np.isnan(found)][0]} on {group.dataset!r}")
        for at in np.flatnonzero(np.ptp(np.where(there, runs, found), axis=0) > 0).tolist():
            costs = self._results(int(rows[at]), group.hp).get_compute_costs(group.dataset)
            found[at] = costs[{"flops_m": "flops", "params_m": "params"}[metric]]
        return found

    # text

    def query_by_arch(self, arch: Any, hp: Any) -> str | None:
        """Return what is known of an architecture by an hp as text; see `query_info_str_by_arch`."""
        return self.query_info_str_by_arch(arch, hp)

    def query_info_str_by_arch(self, arch: Any, hp: Any = "12") -> str | None:
        """Return what is known of an architecture by an hp as text of several lines; None where nothing is at hand."""
        self._say("query_info_str_by_arch", arch=arch, hp=hp)
        index = self._index_of(arch)
        if index not in self._at_hand:
            self._prepare_info(index)
        if index not in self._at_hand:
            self._warn(f"{self._absent(index)}: nothing to tell")
            return None
        return "\n".join(self._lines(self._text_results(index, hp), f"arch-index={index}"))

    def _text_results(self, index: int, hp: Any) -> "ArchResults":
        return self._results_by(index, hp)

    def _warn(self, message: str) -> None:
        raise NotImplementedError

    def _lines(self, results: "ArchResults", extra: str | None = None) -> list[str]:
        raise NotImplementedError

    def show(self, index: int = -1) -> None:
        """Print what is known of an architecture by every hp; with the difference 'show-all', -1 prints all."""
        if index >= len(self):
            print(f"This index ({index}) is out of range (0~{len(self)}).")
        elif index >= 0:
            self._show_one(index)
        else:
            print(self)
            for at, one in enumerate(sorted(self._at_hand)):
                number = f"The ({at:5d}/{len(self._at_hand):5d}) {one:06d}-th architecture!"
                print(f"\n{'-' * 10} {number} {'-' * 10}")
                print(f"arch : {self.meta_archs[one]}")
                if "show-all" not in self.differences:
                    raise KeyError(
                        f"{index}: show prints one architecture; all with differences=['show-all']"
                    )
                self._show_one(one)

    def _show_one(self, index: int) -> None:
        if index not in self._at_hand:
            self._prepare_info(index)
        if index not in self._at_hand:
            print(f"The {index}-th architecture has not been evaluated or not saved.")
            return
        for hp in self._records.hps_of(index):
            results = self._results(index, hp)
            print(f"{'>' * 40} {results.get_total_epoch():03d} epochs {'>' * 40}")
            print("\n".join(self._lines(results)))
        print(f"{'<' * 40}------------{'<' * 40}")


def _array(read: Any, rows: "np.ndarray") -> "np.ndarray":
    import numpy as np

    return np.array([read(index) for index in rows.tolist()])
