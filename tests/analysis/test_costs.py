"""The costs that figures show are those of the networks that were trained."""

import numpy as np
import pytest

from natslib.analysis.architectures import cost_frame
from natslib.analysis.columns import Column
from natslib.errors import NotMeasured
from natslib.spaces import SMALL_SCALE, get_space

SPACE = get_space("tss")


def column(dataset):
    return Column(f"{dataset}-V", dataset, dataset, "valid", "12", 12, (777,))


def costs(dataset, stored):
    """Return the parameters of every cell where the table stores `stored` of its parameters (None: nothing)."""

    def values(metric, **where):
        if stored is None or metric != "params_m":
            raise NotMeasured(metric)
        return stored

    return cost_frame(SPACE, values, [column(dataset)])[f"params_m {dataset}"].to_numpy()


def test_costs_are_computed_where_nothing_is_stored():
    assert costs("cifar10", None).max() == pytest.approx(1.531546)


def test_a_few_wrong_records_are_not_believed():
    stored = SPACE.params_m(SPACE.codes(), "cifar10")
    stored[:204] *= 2
    np.testing.assert_array_equal(costs("cifar10", stored), SPACE.params_m(SPACE.codes(), "cifar10"))


def test_records_of_smaller_networks_are():
    stored = np.full(len(SPACE), np.nan)
    stored[:100] = SPACE.params_m(SPACE.codes(np.arange(100)), "digits", SMALL_SCALE)
    np.testing.assert_array_equal(costs("digits", stored), stored)


def test_a_dataset_without_facts_has_what_its_records_hold_or_nothing():
    np.testing.assert_array_equal(costs("my-images", np.ones(len(SPACE))), np.ones(len(SPACE)))
    assert np.isnan(costs("my-images", None)).all()
