"""Scores of one's own against accuracies: the numbers of SciPy, intervals that cover, equal networks drawn together."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from natslib.analysis.scores import AT_MOST, compare_scores
from natslib.errors import ConfigError, NotMeasured


def frames(
    n: int, rng: np.random.Generator, noise: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    index = pd.Index(np.sort(rng.permutation(3 * n)[:n]), name="arch_index")
    truth = rng.normal(size=n)
    scores = pd.DataFrame({"mine": truth + noise * rng.normal(size=n), "constant": 1.0}, index=index)
    accuracy = pd.DataFrame({"C10-V": truth}, index=index)
    columns = pd.MultiIndex.from_product([["params_m", "flops_m"], ["C10-V"]])
    costs = pd.DataFrame(rng.normal(size=(3 * n, 2)), columns=columns)
    costs.loc[index, ("params_m", "C10-V")] += truth
    return scores, accuracy, costs


def test_correlations_are_those_of_scipy_on_the_same_architectures() -> None:
    rng = np.random.default_rng(0)
    scores, accuracy, costs = frames(60, rng)
    scores.iloc[3, 0] = np.nan
    accuracy.iloc[5, 0] = np.nan
    rows = compare_scores(scores, accuracy, costs, np.arange(180), resamples=20).set_index("score")
    assert rows["n"].unique().tolist() == rows["networks"].unique().tolist() == [58]
    both = scores.join(accuracy).dropna()
    params = costs.loc[both.index, ("params_m", "C10-V")]
    for name, values in {"mine": both["mine"], "parameters": params}.items():
        row = rows.loc[name]
        assert row["kendall"] == pytest.approx(stats.kendalltau(values, both["C10-V"]).statistic, abs=1e-12)
        assert row["spearman"] == pytest.approx(stats.spearmanr(values, both["C10-V"]).statistic, abs=1e-12)
        assert row["pearson"] == pytest.approx(stats.pearsonr(values, both["C10-V"]).statistic, abs=1e-12)
    gain = rows.loc["mine", "kendall"] - rows.loc["parameters", "kendall"]
    assert rows.loc["mine", "gain"] == pytest.approx(gain)
    assert rows.loc["constant", ["kendall", "kendall_low", "gain"]].isna().all()


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Of normal scores with correlation ρ, Kendall's τ is 2/π arcsin ρ and Spearman's 6/π arcsin ρ/2."""
    noise, rng, times = 1.0, np.random.default_rng(1), 150
    rho = 1 / np.sqrt(1 + noise**2)
    truth = {
        "kendall": 2 / np.pi * np.arcsin(rho),
        "spearman": 6 / np.pi * np.arcsin(rho / 2),
        "pearson": rho,
    }
    covered = dict.fromkeys(truth, 0)
    for _ in range(times):
        given = frames(80, rng, noise)
        row = compare_scores(*given, np.arange(240), resamples=60, seed=int(rng.integers(2**31))).iloc[0]
        for method, value in truth.items():
            covered[method] += row[f"{method}_low"] <= value <= row[f"{method}_high"]
    assert all(0.88 <= count / times <= 1 for count in covered.values()), covered


def test_equal_networks_are_drawn_together() -> None:
    """Four copies of each network say no more than one: the interval is that of the networks, not half as wide."""
    rng = np.random.default_rng(2)
    scores, accuracy, costs = frames(100, rng)
    columns = costs.columns
    index = pd.RangeIndex(400, name="arch_index")
    four = [
        pd.DataFrame(np.repeat(part.to_numpy(), 4, axis=0), index=index, columns=part.columns)
        for part in (scores, accuracy, costs.loc[scores.index])
    ]
    four[2].columns = columns
    together, apart, once = (
        compare_scores(*given, classes, resamples=200).set_index("score").loc["mine"]
        for given, classes in (
            (four, np.repeat(np.arange(100), 4)),
            (four, np.arange(400)),
            ((scores, accuracy, costs), np.arange(300)),
        )
    )
    assert (together["n"], together["networks"], apart["networks"]) == (400, 100, 400)
    widths = [row["pearson_high"] - row["pearson_low"] for row in (together, apart, once)]
    assert widths[0] / widths[2] == pytest.approx(1, abs=0.2)
    assert widths[1] / widths[2] == pytest.approx(0.5, abs=0.15)


def test_of_many_networks_some_are_resampled_and_the_spread_is_scaled() -> None:
    rng = np.random.default_rng(3)
    row = compare_scores(*frames(4 * AT_MOST, rng), np.arange(12 * AT_MOST), resamples=60).iloc[0]
    r, n = row["pearson"], row["n"]
    assert np.arctanh(row["pearson_high"]) - np.arctanh(r) == pytest.approx(1.96 / np.sqrt(n), rel=0.3)


def test_what_cannot_be_compared_is_said() -> None:
    scores, accuracy, costs = frames(20, np.random.default_rng(4))
    with pytest.raises(NotMeasured, match="2 of the 20 architectures have all scores and an accuracy"):
        compare_scores(scores, accuracy.iloc[:2], costs, np.arange(60))
    with pytest.raises(ConfigError, match="a score is called 'FLOPs'"):
        compare_scores(scores.rename(columns={"mine": "FLOPs"}), accuracy, costs, np.arange(60))
    row = compare_scores(scores, accuracy, costs, np.arange(60), resamples=0).iloc[0]
    assert row[["kendall_low", "spearman_high", "gain_low"]].isna().all()
