import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from natslib.plots.projections import (
    draw_by_training,
    draw_choices,
    draw_gaps,
    draw_leads,
    draw_orders,
    draw_places,
    draw_skip_weights,
    draw_strengths,
    list_choices,
)
from natslib.spaces import TOPOLOGY


def chosen() -> pd.DataFrame:
    keys = [("darts-pt", "magnitude", 0), ("darts-pt", "magnitude", 1), ("darts-pt", "projection", 1)]
    rows = [(*key, seed, 80.0 + 2 * seed + key[2]) for key in keys for seed in (0, 1)]
    frame = pd.DataFrame(rows, columns=["method", "selection", "epoch", "seed", "accuracy"])
    return frame.assign(decided=0)


def test_choices_are_drawn_by_their_mean_over_the_seeds() -> None:
    fig = Figure()
    left, right = fig.subplots(1, 2)
    draw_choices(left, chosen(), "magnitude", random_mean=80.0)
    draw_choices(right, chosen(), "projection", random_mean=80.0)
    assert left.lines[0].get_xydata().tolist() == [[0, 81], [1, 82]]
    list_choices(fig, (left, right))
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["DARTS: largest α", "DARTS-PT"]
    assert right.lines[0].get_ydata().tolist() == [82]


def test_strength_marks_the_largest_weight_and_what_was_chosen() -> None:
    axes = Figure().subplots(2, 1, squeeze=False)
    columns = {
        "operation": TOPOLOGY.choices,
        "weight": [0.1, 0.5, 0.2, 0.1, 0.1],
        "drop": [0.0, 1.0, 1.0, 0.2, 0.1],
    }
    first, second = (pd.DataFrame(columns).assign(edge=edge) for edge in (4, 0))
    draw_strengths(axes, pd.concat([first, second]), (0, 0, 0, 0, 2, 0))
    assert axes[0, 0].get_title() == "edge 1→3"
    assert [bar.get_height() for bar in axes[1, 0].patches] == columns["drop"]
    framed = [[bar.get_edgecolor()[3] > 0 for bar in ax.patches].index(True) for ax in axes[:, 0]]
    assert framed == [1, 2]


def test_orders_are_counted_by_their_accuracy() -> None:
    ax = Figure().subplots()
    draw_orders(ax, [91.101, 91.1, 90.0], magnitude=90.2, best=91.6)
    heights = [segment[1].tolist() for segment in ax.collections[0].get_segments()]
    assert heights == [[90.0, 1.0], [91.1, 2.0]]


def test_every_place_has_its_number() -> None:
    ax = Figure().subplots()
    draw_places(ax, pd.DataFrame(np.arange(4.0).reshape(2, 2), index=["0→1", "0→2"], columns=[1, 2]))
    assert [text.get_text() for text in ax.texts] == ["0.00", "1.00", "2.00", "3.00"]


def test_a_line_goes_through_the_means_of_each_length_of_training() -> None:
    ax = Figure().subplots()
    keys = [
        (epochs, kind, epochs + worth)
        for epochs in (40, 60)
        for kind in ("magnitude", "projection")
        for worth in (0, 2)
    ]
    draw_by_training(ax, pd.DataFrame(keys, columns=["epochs", "selection", "accuracy"]))
    lines = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert [line.get_ydata().tolist() for line in lines] == [[41, 61], [41, 61]]
    assert ax.get_legend_handles_labels()[1] == ["DARTS: largest α", "DARTS-PT"]


def test_the_last_epoch_of_a_supernet_has_a_dot() -> None:
    ax = Figure().subplots()
    run = pd.DataFrame({"quality": [50.0, 90.0], "lead": [0.0, 0.4], "epoch": [1, 2]})
    draw_leads(ax, run.assign(method="darts-pt", settings="digits", seed=1))
    assert [line.get_xydata().tolist() for line in ax.lines][:2] == [[[50, 0.0], [90, 0.4]], [[90, 0.4]]]
    assert ax.get_legend_handles_labels()[1] == ["2 epochs"]


def mixed() -> pd.DataFrame:
    keys = [(noise, correlation) for noise in (0.5, 1.0) for correlation in (0.0, 0.6)]
    frame = pd.DataFrame(keys, columns=["noise", "correlation"])
    return frame.assign(
        found=[0.6, 0.9, 0.5, 0.5], closed_form=[0.7, 0.9, 0.5, 0.5], proposition=0.7, gap=0.1
    )


def test_what_was_found_stands_beside_the_closed_form_and_the_proposition() -> None:
    ax = Figure().subplots()
    draw_skip_weights(ax, mixed())
    assert [line.get_ydata().tolist() for line in ax.lines[:2]] == [[0.7, 0.5], [0.6, 0.5]]
    assert ax.lines[-1].get_ydata().tolist() == [0.7, 0.7]
    assert ax.get_legend_handles_labels()[1] == ["0", "0.6", "proposition"]


def test_a_gap_has_a_line_a_noise() -> None:
    ax = Figure().subplots()
    draw_gaps(ax, mixed())
    assert ax.get_legend_handles_labels()[1] == ["0.5", "1"]
    assert ax.lines[0].get_xydata().tolist() == [[0.0, 0.1], [0.6, 0.1]]
