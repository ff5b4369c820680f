"""The oracle on plain arrays, on a stand-in table, and on genuine records."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from natslib.errors import ConfigError, NotMeasured, UnknownArchitecture, UnknownName
from natslib.search import Oracle
from natslib.spaces import get_space
from natslib.tables import convert, load
from natslib.tables.format.schema import Metric

TSS = get_space("tss")
N = len(TSS)
GENERATOR = np.random.default_rng


def two_seeds() -> Oracle:
    """Architecture 0 has scores 10 and 20, architecture 1 only 30, all others none."""
    scores = np.full((2, N, 1), np.nan)
    scores[:, 0, 0], scores[1, 1, 0] = (10.0, 20.0), 30.0
    return Oracle(TSS, scores, np.full((N, 1), 5.0), (12,), "valid")


def test_an_answer_is_index_epochs_score_and_cost() -> None:
    evaluate = two_seeds().evaluator(GENERATOR(0))
    assert evaluate(TSS.code(1), None) == (1, 12, 30.0, 5.0)
    for other_name in (1, TSS.string(1), np.array(TSS.code(1)), np.int64(1)):
        assert evaluate(other_name, 12) == (1, 12, 30.0, 5.0)


def test_each_evaluation_draws_a_stored_run() -> None:
    evaluate = two_seeds().evaluator(GENERATOR(0))
    drawn = [evaluate(TSS.code(0), None)[2] for _ in range(400)]
    assert set(drawn) == {10.0, 20.0}
    assert np.mean(drawn) == pytest.approx(15.0, abs=1.0)


def test_missing_is_missing() -> None:
    oracle = two_seeds()
    assert oracle.measured.tolist() == [0, 1]
    evaluate = oracle.evaluator(GENERATOR(0))
    with pytest.raises(NotMeasured, match="architecture 2 is not measured; 2 of 15625 are"):
        evaluate(TSS.code(2), None)
    with pytest.raises(NotMeasured, match=r"a score after 4 epochs .* this oracle answers after 12"):
        evaluate(TSS.code(1), 4)
    with pytest.raises(UnknownArchitecture):
        evaluate((0, 0, 0, 0, 0, 9), None)


def test_a_search_moves_only_where_something_is_measured() -> None:
    space = two_seeds().search_space
    rng = GENERATOR(0)
    assert {TSS.index(space.sample(rng)) for _ in range(40)} == {0, 1}


def test_costs_are_needed_of_all_that_is_measured() -> None:
    scores, costs = np.zeros((1, N, 1)), np.full((N, 1), 5.0)
    for nothing in (np.nan, 0.0, -1.0):
        costs[7] = nothing
        with pytest.raises(NotMeasured, match="1 measured architectures have no cost in s"):
            Oracle(TSS, scores, costs, (12,), "valid")
    with pytest.raises(NotMeasured, match="no score at all"):
        Oracle(TSS, scores * np.nan, costs, (12,), "valid")


def test_shapes_must_fit() -> None:
    with pytest.raises(ConfigError, match=r"needed are \(seeds, 15625, 2\) and \(15625, 2\)"):
        Oracle(TSS, np.zeros((1, N, 1)), np.ones((N, 1)), (1, 12), "valid")
    with pytest.raises(ConfigError, match="must ascend"):
        Oracle(TSS, np.zeros((1, N, 2)), np.ones((N, 2)), (12, 1), "valid")


def test_the_fingerprint_knows_every_number() -> None:
    oracle = two_seeds()
    other = two_seeds()
    assert oracle.fingerprint == other.fingerprint
    other.costs[0] += 1e-9
    assert oracle.fingerprint != Oracle(TSS, other.scores, other.costs, (12,), "valid").fingerprint


class StandIn:
    """A table of two seeds and three epochs: accuracy is 100 * seed + 10 * epoch, an epoch takes 2 s, a pass 1 s."""

    space = TSS
    metrics: ClassVar = {"accuracy": Metric("%", "higher")}

    def __init__(self, seeds: tuple[Any, ...] = (1, 2)) -> None:
        self.seeds = seeds

    def runs(self, metric: str) -> pd.DataFrame:
        rows = [("cifar100", "12", split, seed, N, 3) for split in ("valid", "test") for seed in self.seeds]
        return pd.DataFrame(rows, columns=["dataset", "recipe", "split", "seed", "n_archs", "epochs"])

    def values(
        self, metric: str, *, dataset: str, recipe: str, split: str, seed: Any, epoch: int | None
    ) -> np.ndarray:
        assert (metric, dataset, recipe, split) == ("accuracy", "cifar100", "12", "valid")
        values = np.full(
            N, 100.0 * (1.5 if seed == "mean" else seed) + 10.0 * (2 if epoch is None else epoch)
        )
        values[5:] = np.nan if seed == 2 else values[5:]
        return values

    def cost(self, *, dataset: str, recipe: str, epoch: int | None, validation: bool) -> np.ndarray:
        return np.full(N, 2.0 * (3 if epoch is None else epoch + 1) + validation)


WHERE = {"dataset": "cifar100", "recipe": "12", "split": "valid"}


def test_a_table_becomes_scores_and_costs() -> None:
    oracle = Oracle.from_table(StandIn(), **WHERE, draw="random", epochs=(1, 3))
    assert oracle.epochs == (1, 3)
    np.testing.assert_array_equal(oracle.scores[:, 0], [[100.0, 120.0], [200.0, 220.0]])
    np.testing.assert_array_equal(oracle.costs[0], [3.0, 7.0])
    evaluate = oracle.evaluator(GENERATOR(0))
    assert {evaluate(TSS.code(9), None)[2] for _ in range(20)} == {120.0}  # seed 2 has no architecture 9
    assert {evaluate(TSS.code(0), None)[2] for _ in range(20)} == {120.0, 220.0}


def test_draws_by_name() -> None:
    for draw, score in (("mean", 170.0), (1, 120.0), (2, 220.0)):
        assert Oracle.from_table(StandIn(), **WHERE, draw=draw).scores[:, 0].tolist() == [[score]]
    with pytest.raises(UnknownName, match="unknown draw 'best': allowed are 'random', 'mean', '1', '2'"):
        Oracle.from_table(StandIn(), **WHERE, draw="best")
    with pytest.raises(NotMeasured, match="only the mean of its runs"):
        Oracle.from_table(StandIn(seeds=("mean",)), **WHERE, draw="random")


def test_the_validation_pass_is_charged_unless_said_otherwise() -> None:
    free = Oracle.from_table(StandIn(), **WHERE, draw="mean", charge_validation=False)
    charged = Oracle.from_table(StandIn(), **WHERE, draw="mean")
    assert (free.costs[0, 0], charged.costs[0, 0]) == (6.0, 7.0)
    assert free.source["charge_validation"] is False


def test_without_the_time_of_the_pass_the_way_out_is_named() -> None:
    class Untimed(StandIn):
        def cost(self, *, validation: bool, **where: Any) -> np.ndarray:
            if validation:
                raise NotMeasured("no time_s of split 'valid'")
            return super().cost(validation=False, **where)

    with pytest.raises(
        NotMeasured, match=r"no time_s of split 'valid'; to leave .* say charge_validation=False"
    ):
        Oracle.from_table(Untimed(), **WHERE, draw="mean")
    assert Oracle.from_table(Untimed(), **WHERE, draw="mean", charge_validation=False).costs[0, 0] == 6.0


def test_a_missing_block_names_those_that_exist() -> None:
    with pytest.raises(
        NotMeasured, match="no scores of cifar100/200/valid; it has cifar100/12/test, cifar100/12"
    ):
        Oracle.from_table(StandIn(), dataset="cifar100", recipe="200", split="valid", draw="mean")


@pytest.mark.parametrize(
    ("dataset", "arch", "cost", "scores"),
    [
        ("cifar10-valid", 0, 89.2020952247438, {62.712, 64.016}),
        ("cifar100", 0, 173.81602782294863, {31.84}),
        ("ImageNet16-120", 11, 907.9352778454, None),
    ],
)
def test_genuine_records_are_charged_as_by_the_official_reader(
    shared_data: Path, tmp_path: Path, dataset: str, arch: int, cost: float, scores: set | None
) -> None:
    """Values of `simulate_train_eval` of the official package on its own records, 12 epochs."""
    convert(shared_data / "official-fragments" / "NATS-tss-v1_0-3ffb9-simple", tmp_path / "table")
    table = load(tmp_path / "table")
    oracle = Oracle.from_table(
        table, dataset=dataset, recipe="12", split="valid", draw="random", epochs=(1, 4, 12)
    )
    evaluate = oracle.evaluator(GENERATOR(0))
    answers = [evaluate(TSS.code(arch), None) for _ in range(30)]
    assert answers[0][3] == pytest.approx(cost, rel=1e-9)
    assert scores is None or {round(score, 3) for _, _, score, _ in answers} == scores
    assert evaluate(TSS.code(arch), 1)[3] < evaluate(TSS.code(arch), 4)[3] < answers[0][3]
