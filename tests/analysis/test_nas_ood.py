"""What searches on shifted data are credited with: by cells that have a value, and with intervals."""

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.nas_ood import (
    BY_HAND,
    Cells,
    gains_over,
    last_cells,
    over_seeds,
    paired_gain,
    retraining_gains,
    search_rows,
)
from natslib.analysis.printed import read_printed
from natslib.plots.nas_ood import search_texts
from natslib.spaces import TOPOLOGY

CELLS = 15_625


@pytest.fixture
def cells() -> Cells:
    """Cells 0 to 9 were trained, out of distribution to 0, 10, ... 90 percent; cell 20 is equal to cell 9."""
    test, valid = np.full(CELLS, np.nan), np.full(CELLS, np.nan)
    test[:10], valid[:10] = 10.0 * np.arange(10), 50.0 + np.arange(10)[::-1]
    test[20], valid[20] = test[9], valid[9]
    return Cells(valid, test, np.arange(CELLS) / 1000, np.arange(10))


def runs(**cells_of: list[int]) -> pd.DataFrame:
    """Searches of three epochs; the last cell of seed n of each is the nth."""
    rows = [
        {"method": name.replace("_", "-"), "warm_up": 0.0, "seed": seed, "epoch": epoch}
        | {"arch_index": index if epoch == 2 else 0, "dataset": "digits-tinted", "loss": seed + epoch}
        for name, indices in cells_of.items()
        for seed, index in enumerate(indices)
        for epoch in range(3)
    ]
    return pd.DataFrame(rows)


def test_a_search_is_worth_the_cell_that_it_ends_with(cells: Cells) -> None:
    last = last_cells(runs(nas_ood=[3, 20], gdas=[5, 99]), cells)
    assert last["arch_index"].tolist() == [3, 20, 5, 99]
    np.testing.assert_array_equal(last["test"], [30, 90, 50, np.nan])
    np.testing.assert_array_equal(last["percentile"], [30, 90, 50, np.nan])


def test_cells_without_a_value_are_counted_and_not_guessed(cells: Cells) -> None:
    rows = search_rows(last_cells(runs(nas_ood=[3, 5], gdas=[5, 99], rsps=[98, 99]), cells), cells)
    rows = rows.set_index("name")
    assert rows.loc[["nas-ood", "gdas", "rsps"], "known"].tolist() == [2, 1, 0]
    assert rows.loc["nas-ood", ["test", "test_se", "percentile"]].tolist() == [40, 10, 40]
    assert rows.loc["gdas", "test"] == 50
    assert np.isnan(rows.loc["gdas", "test_se"])
    assert np.isnan(rows.loc["rsps", "test"])
    texts = search_texts(
        {"digits-tinted": rows.reset_index()}, read_printed("nas-ood-table").dropna(subset="mean")
    )
    shown = dict(zip(texts["", "search or cell"], texts["tinted digits", "target ± se"], strict=True))
    assert (shown["NAS-OoD"], shown["GDAS"], shown["RSPS"]) == ("40.0 ± 10.0", "50.0 (1 of 2)", "(0 of 2)")


def test_what_validation_alone_would_pick_stands_beside_them(cells: Cells) -> None:
    rows = search_rows(last_cells(runs(nas_ood=[3]), cells), cells).set_index("name")
    assert rows.loc["best by validation", ["valid", "test"]].tolist() == [59, 0]
    assert rows.loc["best", "test"] == 90
    assert rows.loc["median cell", "test"] == cells.median == 45
    assert set(BY_HAND) <= set(rows.index)


def test_without_a_recorded_cell_there_is_nothing_to_compare_with(cells: Cells) -> None:
    nothing = np.full(CELLS, np.nan)
    empty = Cells(nothing, nothing, cells.params, np.array([], int))
    rows = search_rows(last_cells(runs(nas_ood=[3, 5]), empty), empty)
    assert rows["name"].tolist() == ["nas-ood"]
    assert rows["known"].tolist() == [0]


def test_simple_cells_are_what_they_are_called() -> None:
    assert set(TOPOLOGY.code(BY_HAND["all 3×3 convolutions"])) == {3}
    assert TOPOLOGY.string(BY_HAND["ResNet"]).count("nor_conv_3x3") == 3 - 1


def test_an_interval_that_holds_zero_is_not_significant() -> None:
    gain = paired_gain([1.0, 2.0, 3.0])
    # Student's quantile for two degrees of freedom, 4.303, by 1/√3
    half = 4.303 / 3**0.5
    assert gain[1:] == pytest.approx((2, 2 - half, 2 + half), abs=1e-3)
    assert gain.verdict == "not significant"
    assert paired_gain([1.9, 2.0, 2.1, np.nan]).verdict == "significant"
    assert paired_gain([1.9, np.nan]).verdict == "too few pairs"
    assert str(paired_gain([np.nan])) == "no pairs"
    assert str(gain) == "+2.0 points (3 pairs, 95 % interval -0.5 to +4.5): not significant"


def test_gains_are_seed_by_seed(cells: Cells) -> None:
    last = last_cells(runs(nas_ood=[3, 6, 99], darts_v1=[1, 2, 5]), cells)
    gains = gains_over(last, "nas-ood", ["darts-v1"], cells.median)
    assert gains["darts-v1"][:2] == (2, 30)
    assert gains["median cell"][:2] == (2, 0)
    assert gains_over(last, "nas-ood", ["rsps"], cells.median)["rsps"].pairs == 0


def test_curves_are_means_over_seeds_without_the_untrained_start() -> None:
    means = over_seeds(runs(nas_ood=[3, 6]), ["loss"])
    assert means[["epoch", "mean", "low", "high"]].values.tolist() == [[1, 1.5, 1, 2], [2, 2.5, 2, 3]]


def test_only_what_is_quoted_or_remembered_is_printed() -> None:
    printed = read_printed("nas-ood-table").dropna(subset="mean").set_index(["method", "dataset"])
    assert printed.loc[("nas-ood", "NICO-Animal"), ["mean", "evidence"]].tolist() == [88.72, "quoted"]
    assert set(printed.drop(index=("nas-ood", "NICO-Animal"))["evidence"]) == {"remembered"}


def test_retraining_gains_are_paired_by_seed_and_dataset() -> None:
    runs = pd.DataFrame({"12": [10.0, 20, 30], "12-noise": [12.0, 21.9, 32.1]}, index=[1, 2, 3])
    gains = retraining_gains({"a": runs, "b": runs.assign(**{"12-noise": [9.0, 22, 30]})}, "12")
    assert gains.groupby("dataset")["verdict"].first().to_dict() == {
        "a": "significant",
        "b": "not significant",
    }
    assert gains["seed"].tolist() == [1, 2, 3, 1, 2, 3]
    np.testing.assert_allclose(gains["gain"], [2, 1.9, 2.1, -1, 2, 0])
