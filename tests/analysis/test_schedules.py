"""Parts of trainings, and shorter ones, against the whole: by hand, and with the real results of CIFAR-10."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from natslib.analysis import schedules
from natslib.analysis.columns import Column, find_columns
from natslib.errors import NotMeasured
from natslib.tables import Table, convert

PAPER = [6, 12, 50, 75, 87.5, 100]


def column(split: str = "valid", title: str = "CIFAR-10", epochs: int = 12) -> Column:
    return Column(f"{title}-{split}", title, title, split, str(epochs), epochs, (1,))


def per_seed(metric: str, *, epoch: int | None, **where: str) -> pd.DataFrame:
    """The runs of two seeds in three architectures, one without any; the first is the number of the epoch."""
    first = 100.0 if epoch is None else float(epoch)
    return pd.DataFrame({777: [first, 2.0, np.nan], 888: [np.nan, 1.0, np.nan]})


def no_curves(metric: str, *, epoch: int | None, **where: str) -> pd.DataFrame:
    if epoch is not None:
        raise NotMeasured("no curves")
    return pd.DataFrame({777: [1.0, 2.0, 3.0]})


def values(metric: str, *, epoch: int | None, **where: object) -> np.ndarray:
    if epoch is not None:
        raise NotMeasured("no curves")
    return np.array([1.0, 2.0, 3.0])


def test_the_moments_are_those_of_the_paper_and_parts_of_an_epoch_count_as_one() -> None:
    assert schedules.epochs_at(PAPER, 200) == [12, 24, 100, 150, 175, 200]
    assert schedules.epochs_at([50, 100], 12) == [6, 12]
    assert schedules.epochs_at([0, 1, 1, 100], 12) == [1, 12]


def test_epochs_count_from_one_and_the_last_is_asked_without_a_number() -> None:
    found = schedules.moment_frames(per_seed, values, [column()], [50, 100])
    assert list(found) == [("12", 6), ("12", 12)]
    assert found["12", 6].loc[0, 777] == 5
    assert found["12", 12].loc[0, 777] == 100
    assert found["12", 6].index.tolist() == [0, 1]


def test_without_curves_the_ends_of_two_trainings_are_left_and_one_is_not_enough() -> None:
    both = [column(), column(epochs=200)]
    assert list(schedules.moment_frames(no_curves, values, both, PAPER)) == [("12", 12), ("200", 200)]
    with pytest.raises(NotMeasured, match="no curves and one training"):
        schedules.moment_frames(no_curves, values, both[:1], PAPER)


def test_the_mean_of_runs_stands_for_one_where_a_source_has_no_other() -> None:
    def lacking(metric: str, **where: object) -> pd.DataFrame:
        raise NotMeasured("means only")

    frames = schedules.run_frames(lacking, values, [column()])
    assert frames["CIFAR-10-valid"]["mean"].tolist() == [1, 2, 3]


def test_a_correlation_is_pearsons_over_what_both_hold() -> None:
    rng = np.random.default_rng(1)
    early, late = (pd.DataFrame({777: rng.normal(size=40)}) for _ in range(2))
    late.iloc[30:] = np.nan
    found = schedules.moment_correlations(
        {("12", 6): early}, {"T": late.dropna()}, np.random.default_rng(0), draws=7
    ).iloc[0]
    by_hand = stats.pearsonr(early[777][:30], late[777][:30]).statistic
    assert (found["recipe"], found["epochs"], found["column"], found["n"]) == ("12", 6, "T", 30)
    assert found["mean"] == pytest.approx(by_hand)
    assert found["std"] == pytest.approx(0, abs=1e-12)


def test_a_draw_takes_one_of_the_runs_of_each_cell_in_each_frame() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=400)
    runs = pd.DataFrame({seed: truth + rng.normal(size=400) for seed in (777, 888)})
    found = schedules.moment_correlations(
        {("12", 12): runs}, {"V": runs}, np.random.default_rng(0), draws=300
    ).iloc[0]
    # The same run is drawn twice in half of the cells: noise of variance 1 is shared there.
    assert found["mean"] == pytest.approx((1 + 0.5) / 2, abs=0.05)
    assert 0.005 < found["std"] < 0.05


def test_too_few_cells_correlate_with_nothing() -> None:
    two = pd.DataFrame({777: [1.0, 2.0]})
    found = schedules.moment_correlations({("12", 6): two}, {"V": two}, np.random.default_rng(0), draws=2)
    assert found["mean"].isna().all()
    assert schedules.moment_rows(found).shape[0] <= 1


def test_the_rows_are_the_papers_a_moment_each() -> None:
    frame = pd.DataFrame({777: [1.0, 2.0, 4.0]})
    found = schedules.moment_correlations(
        {("12", 6): frame, ("200", 24): frame}, {"V": frame, "T": frame}, np.random.default_rng(0), draws=2
    )
    rows = schedules.moment_rows(found)
    assert rows.columns.tolist() == ["training", "epochs", "V", "T"]
    assert rows.to_numpy().tolist() == [
        ["12", 6, "1.000±0.000", "1.000±0.000"],
        ["200", 24, "1.000±0.000", "1.000±0.000"],
    ]


def test_a_shorter_training_foretells_the_same_dataset_and_test_never_validation() -> None:
    short = [column(), column("test")]
    whole = [column(epochs=200), column("test", epochs=200), column(title="digits", epochs=36)]
    pairs = schedules.shorter_pairs(short, whole)
    assert [(a.split, b.split) for a, b in pairs] == [("valid", "valid"), ("valid", "test"), ("test", "test")]
    assert schedules.shorter_pairs(whole, whole) == []
    with pytest.raises(NotMeasured, match="no training that was planned shorter"):
        schedules.recipe_agreement(lambda *_, **__: np.ones(3), [], {})


def test_a_table_of_correlations_has_three_decimals_and_nothing_for_nan() -> None:
    found = pd.DataFrame({"early": ["a"], "late": ["b"], "n": [9], "Kendall τ-b": [0.7], "x": [np.nan]})
    assert schedules.shorter_rows(found).to_numpy().tolist() == [["a", "b", 9, "0.700", None]]


def test_a_dataset_with_both_splits_is_taken_and_its_lack_is_said() -> None:
    valid, test = schedules.foretold([column(title="photos"), column(), column("test")])
    assert (valid.split, test.split, valid.title) == ("valid", "test", "CIFAR-10")
    with pytest.raises(NotMeasured, match="no dataset with validation and test"):
        schedules.foretold([column()])


def test_the_real_results_of_cifar10(shared_data: Path, tmp_path: Path) -> None:
    columns = Path(__file__).parents[1] / "tables/nats-tss-cifar10.yaml"
    convert(shared_data / "nats-tss-cifar10.csv", tmp_path / "table", columns=columns)
    table = Table.open(tmp_path / "table")
    final = find_columns(table.runs(), table.values)
    short = find_columns(table.runs(), table.values, recipe="12")
    good = table.values("accuracy", **final[1].key) > 92
    found = schedules.recipe_agreement(table.values, schedules.shorter_pairs(short, final), {"good": good})
    assert found["late"].tolist() == ["C10-V after 200", "C10-T after 200", "C10-T after 200"]
    assert found["Kendall τ-b"].tolist() == pytest.approx([0.6484, 0.5943, 0.7000], abs=0.001)
    assert found["Spearman ρ"].tolist() == pytest.approx([0.8226, 0.7718, 0.8705], abs=0.001)
    assert found["Pearson r"].tolist() == pytest.approx([0.9119, 0.8991, 0.9415], abs=0.001)
    assert found["good"][1] == pytest.approx(0.1798, abs=0.001)
    moments = schedules.moment_frames(table.per_seed, table.values, [short[0], final[0]], PAPER)
    frames = schedules.run_frames(table.per_seed, table.values, final)
    rows = schedules.moment_correlations(moments, frames, np.random.default_rng(0), draws=5)
    told = rows.set_index(["recipe", "column"])["mean"]
    # Single runs of 200 epochs correlate a little less than their means do: 0.9119.
    assert told["12", "C10-V"] == pytest.approx(0.9119, abs=0.003)
    assert told["12", "C10-T"] == pytest.approx(0.8991, abs=0.001)
    assert 0.99 < told["200", "C10-V"] < 1
