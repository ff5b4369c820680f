"""The searches that are recorded, on a desk even smaller: they look at validation alone, and go on after a kill."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from natslib.datasets import get_dataset
from natslib.nets.wiring import wiring_network
from natslib.search.descent import read_record
from natslib.spaces import Scale
from natslib.spaces.wiring import CONV_1X1, NODE_OPS, SEP_CONV_3X3, Wiring
from natslib.training import shrink_runs
from natslib.training.embedded import digits
from natslib.training.images import ImageSet, Split
from natslib.training.language import Reading
from natslib.training.shrink_runs import eight_nodes, node_ops, one_view, recurrent
from natslib.training.shrinking import Shrinking


class Guarded(Mapping[str, Split]):
    """Validation images, and test images that nobody may open."""

    def __init__(self, valid: Split) -> None:
        self.valid = valid

    def __getitem__(self, name: str) -> Split:
        if name != "valid":
            raise AssertionError(f"the split {name!r} was opened while searching")
        return self.valid

    def __iter__(self) -> Iterator[str]:
        return iter(["valid", "test"])

    def __len__(self) -> int:
        return 2


@pytest.fixture
def guarded() -> ImageSet:
    data = digits()
    few = replace(data, train=Split(data.train.images[:64], data.train.labels[:64]))
    object.__setattr__(few, "evaluations", Guarded(data.evaluations["valid"]))
    return few


def test_no_test_image_is_opened_and_a_kill_changes_nothing(guarded: ImageSet, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="'test' was opened"):
        guarded.evaluations["test"]
    asked = {"nodes": 3, "candidates": 2, "how": Shrinking(epochs=1, batch=64), "again": (1,)}
    path = tmp_path / "a.parquet"
    whole = eight_nodes(one_view(guarded), path, **asked)
    assert {"accuracy", "flops_m", "score", "epochs", "ended", "seconds"} < set(whole)
    assert len(eight_nodes(one_view(guarded), path, **asked)) == len(whole)

    class Killed(Exception):
        pass

    def die(number: int, row: Mapping[str, object]) -> None:
        raise Killed

    other = tmp_path / "b.parquet"
    for number in range(len(whole)):
        with pytest.raises(Killed):
            eight_nodes(one_view(guarded), other, **asked, report=die)
        assert len(read_record(other)[0]) == number + 1
    untimed = [rows.drop(columns="seconds") for rows in (whole, read_record(other)[0])]
    pd.testing.assert_frame_equal(*untimed)


def test_the_flops_are_the_closed_form(guarded: ImageSet, tmp_path: Path) -> None:
    rows = eight_nodes(
        one_view(guarded), tmp_path / "a.parquet", nodes=3, candidates=2, how=Shrinking(epochs=1), again=()
    )
    told = read_record(tmp_path / "a.parquet")[1]["settings"]
    codes = np.array([list(map(int, cell)) for cell in rows["cell"]], np.uint8)
    counts = Wiring(tuple(told["ops"])).count(codes, get_dataset("digits"), Scale(told["channels"], 1, 1))
    np.testing.assert_allclose(rows["flops_m"] * 1e6, counts.macs)
    np.testing.assert_allclose(rows["score"], rows["accuracy"] / 100 - 0.1 * (np.log10(counts.macs) - 6))


def test_operations_take_turns_and_the_input_has_none() -> None:
    drawn = [node_ops(8, np.random.default_rng(seed)) for seed in range(40)]
    assert {len(ops) for ops in drawn} == {7}
    assert {ops.count(SEP_CONV_3X3) for ops in drawn} == {3, 4}
    assert {ops.count(CONV_1X1) for ops in drawn} == {3, 4}
    assert len(set(drawn)) > 10


def test_one_view_of_each_image() -> None:
    data = digits()
    few = one_view(data)
    assert list(few.evaluations) == ["valid"]
    assert len(few.evaluations["valid"]) == 450
    assert few.evaluations["valid"].labels.tolist() == data.evaluations["valid"].labels[::3].tolist()


def test_a_network_of_eight_nodes_is_built() -> None:
    network = wiring_network(
        (1,) * 28, [NODE_OPS[node % 2] for node in range(7)], in_channels=1, classes=10, scale=Scale(4, 1, 1)
    )
    assert network.eval()(digits().train.images[:2].permute(0, 3, 1, 2).float()).shape == (2, 10)


def test_the_recurrent_search_of_a_short_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrink_runs, "LENGTHS", (2_000, 1_000))
    how = Reading(width=4, epochs=1, batch=64)
    rows = recurrent(tmp_path / "a.parquet", nodes=4, candidates=2, how=how, again=(1,))
    told = read_record(tmp_path / "a.parquet")[1]["settings"]
    assert 1 < told["floor"] < told["bigram"] < 12
    assert np.isfinite(rows["perplexity"]).all()
    np.testing.assert_allclose(
        rows["score"], 0.25 * (200 - rows["perplexity"]) - (np.log10(rows["edges"] * 16) - 6)
    )
    assert rows["edges"].min() <= 2  # round(0.25 * 6)
