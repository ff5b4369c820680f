import numpy as np
import pandas as pd
import pytest

from natslib.analysis.printed import read_printed
from natslib.analysis.projections import (
    beside_printed,
    by_place,
    choices,
    last_choices,
    lead_correlation,
    projecting,
    skips_and_quality,
)
from natslib.errors import NotMeasured
from natslib.plots.tables import rows_figure
from natslib.search.projection import PerfectSupernet
from natslib.spaces import TOPOLOGY

VALUES = np.arange(15_625) / 156.25
SIZES = [
    (0,) * 6,
    (1,) * 6,
    (2,) * 6,
    (3,) * 6,
    (4,) * 6,
]  # the largest parameter of each edge, epoch by epoch
DECIDED = [[], [], [5, 2], [], [0]]
CELLS = [(0,) * 6, (1,) * 6, (2, 2, 4, 2, 2, 4), (3, 3, 4, 3, 3, 4), (1, 4, 4, 4, 4, 4)]


def one_hot(code: tuple[int, ...]) -> list[float]:
    return np.eye(5)[list(code)].ravel().tolist()


def records(method: str = "darts-pt", seed: int = 1, cells: list = CELLS) -> pd.DataFrame:
    """Epochs 0 to 4: the supernet is trained after epoch 2, when two edges are decided; a third after epoch 4."""
    return pd.DataFrame(
        {
            "method": method,
            "seed": seed,
            "epoch": range(5),
            "arch_index": [TOPOLOGY.index(code) for code in cells],
            "alphas": [one_hot(code) for code in SIZES],
            "projected_edges": DECIDED,
        }
    )


def test_choice_by_magnitude_ends_with_the_training_and_projection_goes_on_from_there() -> None:
    chosen = choices(records(), VALUES)
    by_size, projected = (chosen[chosen["selection"] == kind] for kind in ("magnitude", "projection"))
    assert by_size["epoch"].tolist() == [0, 1, 2]
    assert TOPOLOGY.codes(by_size["arch_index"]).tolist() == [list(code) for code in SIZES[:3]]
    assert projected["decided"].tolist() == [0, 2, 3]
    assert projected["epoch"].tolist() == [2, 3, 4]  # the last epoch with so many edges decided
    assert TOPOLOGY.codes(projected["arch_index"]).tolist() == [
        list(SIZES[2]),
        list(CELLS[3]),
        list(CELLS[4]),
    ]
    np.testing.assert_array_equal(chosen["accuracy"], VALUES[chosen["arch_index"]])


def test_outcomes_are_those_of_the_last_epoch_over_the_seeds() -> None:
    other = [*CELLS[:4], (0,) * 6]
    outcome = last_choices(choices(pd.concat([records(), records(seed=2, cells=other)]), VALUES))
    projected = outcome.set_index("selection").loc["projection"]
    ends = VALUES[[TOPOLOGY.index(CELLS[4]), TOPOLOGY.index((0,) * 6)]]
    assert projected["seeds"] == 2
    assert (projected["mean"], projected["std"]) == (pytest.approx(ends.mean()), pytest.approx(ends.std()))
    assert projected["worst"] == ends.min()


def test_other_searches_are_left_out() -> None:
    frame = pd.concat([records(), records("gdas")])
    assert set(projecting(frame)["method"]) == {"darts-pt"}
    with pytest.raises(NotMeasured, match="none of darts-pt, darts-pt-fixed"):
        projecting(records("gdas"))


def test_places_are_those_at_which_an_edge_is_decided() -> None:
    values = np.random.default_rng(0).normal(size=len(TOPOLOGY))
    orders = PerfectSupernet(TOPOLOGY, values).select_in_every_order()
    means = by_place(orders)
    late = [
        accuracy for order, accuracy in zip(orders["order"], orders["accuracy"], strict=True) if order[5] == 1
    ]
    assert means.loc["0→2", 6] == pytest.approx(np.mean(late))
    assert means.shape == (6, 6)
    assert list(means.index) == list(TOPOLOGY.positions)


def test_the_papers_numbers_stand_in_a_column_of_their_own() -> None:
    outcome = last_choices(choices(records(), VALUES))
    orders = pd.Series([89.944, 92.256])
    table = beside_printed(outcome, 90.2, orders, read_printed("darts-pt-table-4")).set_index("choice")
    assert table.loc["DARTS-PT", ["paper", "perfect supernet", "worst order"]].tolist() == [
        "88.11",
        "91.10",
        "89.94",
    ]
    assert table.loc["DARTS-PT", "supernets, mean"] == f"{VALUES[TOPOLOGY.index(CELLS[4])]:.2f}"
    assert table.loc["DARTS: largest α", ["paper", "perfect supernet"]].tolist() == ["54.30", "90.20"]
    assert (table.loc["largest α, an edge at a time"] == "").all()
    assert table.loc["DARTS-PT", "evidence"] == "read"


def test_a_remembered_number_is_marked_where_a_read_one_is_not() -> None:
    outcome, printed = last_choices(choices(records(), VALUES)), read_printed("darts-pt-table-4")
    printed.loc[printed["method"] == "darts-pt", "evidence"] = "remembered"
    table = beside_printed(outcome, 90.2, pd.Series([91.0]), printed).set_index("choice")
    assert table.loc["DARTS-PT", ["paper", "evidence"]].tolist() == ["88.11 ?", "remembered"]
    assert table.loc["DARTS-PT, fixed α", ["paper", "evidence"]].tolist() == ["93.80", "read"]
    drawn = rows_figure(table.reset_index()).axes[0].texts
    assert [text.get_text() for text in drawn if text.get_fontstyle() == "italic"] == ["88.11 ?"]


def test_skips_lead_while_the_supernet_trains_and_by_how_much() -> None:
    run = records().assign(settings="digits", valid_accuracy=[np.nan, 50.0, 70.0, 90.0, 95.0])
    found = skips_and_quality(run)
    assert found["epoch"].tolist() == [1, 2]  # edges are decided after epoch 2
    assert found["quality"].tolist() == [50.0, 70.0]
    assert found["lead"].tolist() == [1.0, 0.0]  # skip-connections, then 1x1 convolutions, have the one


def test_the_correlation_of_lead_and_quality_is_that_of_each_supernet() -> None:
    rising, falling = (
        pd.DataFrame({"quality": [10.0, 20.0, 90.0], "lead": lead, "seed": seed, "epoch": [1, 2, 3]})
        for seed, lead in enumerate(([0.0, 0.1, 0.2], [0.3, 0.2, -0.1]))
    )
    frame = pd.concat([rising, falling]).assign(settings="digits", method="darts-pt")
    found = lead_correlation(frame)
    assert found["rho"].tolist() == [1.0, -1.0]
    assert found["lead"].tolist() == [0.2, -0.1]
    assert found["epochs"].tolist() == [3, 3]
