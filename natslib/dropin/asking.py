"""The calls that answer with numbers of one architecture."""

import math
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from natslib.dropin.api import Api

if TYPE_CHECKING:
    from natslib.dropin.records import Group


class NumbersApi(Api):
    """An `Api` that also answers with numbers."""

    _comments: "ClassVar[Mapping[str, str] | None]" = None
    """What `get_more_info` adds on the CIFAR-10 datasets."""

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
            index = self._known(index)
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
        from natslib.dropin.run import check_epoch, check_seed

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
        from natslib.dropin.run import Info

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
        self._used_time = 0

    @property
    def _simulated(self) -> list[str]:
        """The datasets that `simulate_train_eval` takes: the paper's, and what the source has of other images."""
        return ["cifar10", "cifar100", "ImageNet16-120", *self._own_datasets]

    def _is_simulated(self, dataset: Any) -> bool:
        return dataset in self._simulated

    def _charge(self, info: dict[str, Any], validation: dict[str, Any], account_time: bool) -> float:
        """Return what an evaluation costs, its epochs and one validation pass, and add it to `used_time`."""
        cost: float = info["train-all-time"]
        if "no-validation-cost" not in self.differences:
            if "valid-per-time" not in validation:
                hint = "differences=['no-validation-cost'] charges training alone"
                raise KeyError(
                    f"the source has no times of validation, which an evaluation is charged; {hint}"
                )
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
