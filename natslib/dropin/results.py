"""`ArchResults`, all trainings of one architecture by one hp, as the official API hands them out.

Only what asks is here. What builds archives (`update`, `state_dict`, `reset_…`) is not: `natslib convert` does that.
"""

import random
from typing import Any, ClassVar

from natslib.dropin.records import Records
from natslib.dropin.run import Info, ResultsCount, check_seed, mean, no_weights, recorded


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
