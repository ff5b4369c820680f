"""How cells rank out of distribution: counted by hand on small frames, and in the table that ships."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from natslib.analysis.ood_ranks import ood_table
from natslib.tables import Table, load

NAN = float("nan")
TEST = pd.DataFrame({1: [10.0, 20, 30, 40], 2: [20.0, 10, 30, 40]})
SHIPPED = Path(__file__).resolve().parents[2] / "logs/embedded-ood"


def row(valid: pd.DataFrame, test: pd.DataFrame = TEST, real: pd.Series | None = None) -> pd.Series:
    params = pd.Series([4.0, 3, 2, 1])
    no_real = pd.Series(dtype=float)
    return ood_table({"a": valid}, {"a": test}, {"a": params}, no_real if real is None else real).loc[0]


def test_taus_are_means_over_single_runs() -> None:
    found = row(TEST, real=pd.Series([1.0, 2, 3, 4, 5]))
    assert found["seeds_tau"] == pytest.approx(2 / 3)  # one of six pairs is swapped
    assert found["valid_tau"] == 1.0
    assert found["params_tau"] == pytest.approx((-1 - 2 / 3) / 2)
    assert found["real_tau"] == pytest.approx((1 + 2 / 3) / 2)
    assert found[["cells", "seeds", "seeds_cells"]].tolist() == [4, 2, 4]


def test_validation_that_shares_the_seeds_noise_is_told_from_that_which_does_not() -> None:
    assert row(TEST)["valid_other_tau"] == pytest.approx(2 / 3)
    swapped = TEST.rename(columns={1: 2, 2: 1})
    found = row(swapped)
    assert (found["valid_tau"], found["valid_other_tau"]) == (pytest.approx(2 / 3), 1.0)


def test_spreads_are_those_of_means_and_of_one_run() -> None:
    found = row(TEST)
    assert found[["test_low", "test_high", "test_mean"]].tolist() == [15, 40, 25]
    assert found["cells_std"] == pytest.approx(np.std([15, 15, 30, 40], ddof=1))
    assert found["seed_std"] == pytest.approx(np.sqrt((50 + 50) / 4))


def test_what_was_run_once_has_no_ceiling() -> None:
    once = TEST[[1]]
    found = row(once, once)
    assert found[["seeds_tau", "valid_other_tau", "seed_std", "real_tau"]].isna().all()
    assert found["valid_tau"] == 1.0


def shipped_table(table: Table) -> pd.DataFrame:
    names = ["digits-rotated", "digits-rotated-70", "digits-tinted"]
    runs = {
        split: {
            n: table.per_seed("accuracy", dataset=n, recipe="12", split=split).dropna(how="all")
            for n in names
        }
        for split in ("valid", "test")
    }
    params = {n: pd.Series(table.values("params_m", dataset=n, recipe="12", split="test")) for n in names}
    real = load("published").values("accuracy", dataset="cifar10-valid", recipe="200", split="valid")
    return ood_table(runs["valid"], runs["test"], params, pd.Series(real)).set_index("column")


def test_the_shipped_table_can_rank_cells_and_the_warning_example_cannot() -> None:
    """nas-ood.md, sections 5 and 7: without such a table no method may be compared on it."""
    rows = shipped_table(load(SHIPPED))
    assert rows["cells"].to_dict() == {"digits-rotated": 200, "digits-rotated-70": 60, "digits-tinted": 200}
    assert rows["seeds"].to_dict() == {"digits-rotated": 4, "digits-rotated-70": 2, "digits-tinted": 2}
    tinted, rotated, far = (rows.loc[n] for n in ("digits-tinted", "digits-rotated", "digits-rotated-70"))
    assert tinted["seeds_tau"] >= 0.4
    assert tinted["test_low"] < 25
    assert tinted["test_high"] > 70
    assert tinted["valid_tau"] > 0.7
    assert 0.1 < rotated["seeds_tau"] < 0.5
    assert far["seeds_tau"] <= 0.15
    assert far["seed_std"] > far["cells_std"] * 0.9
