import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from natslib.analysis.autoshrink import AGAIN, CANDIDATES, CHOSEN
from natslib.plots.autoshrink import draw_chance, draw_fronts, fronts_figure, path_figure

VALUES = pd.DataFrame(
    {"accuracy": [80.0, 82.0, 70.0, 30.0], "flops_m": [8.0, 4.0, 6.0, 0.01], "score": [0.5, 0.7, 0.4, 0.3]}
)


def curves(*who: str) -> pd.DataFrame:
    rows = [(each, edges, 80.0 + edges, 2.0 * edges, 0.5) for each in who for edges in (0, 1, 2)]
    return pd.DataFrame(rows, columns=["who", "edges", "accuracy", "flops_m", "score"])


def spread(rows: int) -> pd.DataFrame:
    columns = {"edges": [2, 1], "between_candidates": [3.0, 2.0], "between_seeds": [1.0, 1.5]}
    return pd.DataFrame(columns).head(rows)


def test_the_way_down_starts_on_the_left_and_leaves_the_empty_cell_out() -> None:
    fig = path_figure(curves(CANDIDATES, CHOSEN, AGAIN), curves(CHOSEN), spread(2))
    accuracy = fig.axes[0]
    assert [line.get_label() for line in accuracy.lines] == [
        CANDIDATES,
        CHOSEN,
        AGAIN,
        "chosen, with the floor",
    ]
    assert accuracy.lines[1].get_xydata().tolist() == [[1, 81], [2, 82]]
    assert accuracy.xaxis_inverted()
    assert fig.axes[3].lines[1].get_ydata().tolist() == [1.0, 1.5]


def test_without_a_second_seed_there_is_no_line_of_it_and_no_noise() -> None:
    fig = path_figure(curves(CANDIDATES, CHOSEN), curves(CHOSEN), spread(0))
    assert AGAIN not in [line.get_label() for line in fig.axes[0].lines]
    assert "trained twice" in fig.axes[3].texts[0].get_text()


def test_numbers_of_candidates_stand_above_their_evaluations() -> None:
    rows = [
        (who, k, at, 0.5, 0.4, 0.6)
        for who in ("shrinking", "masks", "free")
        for k, at in ((1, 5), (6, 9), (10, 9))
    ]
    ax = Figure().subplots()
    draw_chance(
        ax,
        pd.DataFrame(rows, columns=["finder", "candidates", "evaluations", "mean", "low", "high"]),
        optimum=0.7,
    )
    assert [text.get_text() for text in ax.texts] == ["k = 1", "k = 6/10"]
    assert [text.xy for text in ax.texts] == [(5, 0.6), (9, 0.6)]


def test_searches_stand_beside_the_best_there_is() -> None:
    found = pd.DataFrame({"run": [0, 0, 1], "arch_index": [0, 1, 2]})
    levels = {"flops_m": [4.0, 8.0], "mean": [82.0, 82.0], "low": [81.0, 81.0], "high": [82.0, 82.0]}
    fronts = pd.concat([pd.DataFrame(levels).assign(method=name) for name in ("optimal", "rea")])
    fig = fronts_figure(VALUES, {"rea": found}, {"rea": 0.1234}, fronts)
    assert fig.axes[0].get_title() == "REA: S 0.123 below the best"
    np.testing.assert_array_equal(fig.axes[0].collections[1].get_offsets(), [[8.0, 80.0], [4.0, 82.0]])
    ax = Figure().subplots()
    draw_fronts(ax, fronts, VALUES)
    assert [line.get_label() for line in ax.lines] == ["best there is", "REA"]
    assert ax.get_xlim()[0] > 1  # what is far below the best does not widen the panel
