"""The recorded searches that ship: complete, and as good as DARTS-PT has to be (Wang et al., ICLR 2021)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from natslib.analysis import projections
from natslib.spaces import get_space
from natslib.weight_sharing.presets import settings_of
from natslib.weight_sharing.records import manifest_of

FOLDER = Path(__file__).resolve().parents[2] / "logs" / "weight-sharing" / "digits"
RUN = ["method", "warm_up", "seed"]
EDGES, OPS = 6, 5
TRAINED, TUNED = 100, 110  # the epochs of the digits settings, without and with tuning between decisions
PT, FIXED, BY_SIZE = projections.PROJECTING


@pytest.fixture(scope="module")
def records() -> dict[str, pd.DataFrame]:
    return {space: pd.read_parquet(FOLDER / f"{space}-digits.parquet") for space in ("tss", "sss")}


@pytest.fixture(scope="module")
def projecting(records: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return projections.projecting(records["tss"])


@pytest.mark.parametrize(("space", "searches"), [("tss", 36), ("sss", 18)])
def test_all_searches_are_there_from_the_untrained_supernet_to_the_last_epoch(records, space, searches):
    runs = records[space].groupby(RUN)
    assert len(runs) == searches == len(manifest_of(FOLDER / f"{space}-digits.parquet")["searches"])
    for (method, _, _), run in runs:
        last = TUNED if method in projections.PROJECTING else TRAINED
        assert run["epoch"].tolist() == list(range(last + 1))
        assert run["settings"].unique().tolist() == ["digits"]
        assert not run["diverged"].any()
    named = np.stack(records[space]["code"].to_list())
    np.testing.assert_array_equal(get_space(space).indices(named), records[space]["arch_index"])


def test_every_projecting_search_decides_six_edges_once_after_training(projecting):
    for _, run in projecting.groupby(RUN):
        deciding = run[run["projected_edges"].map(len) > 0]
        assert deciding["epoch"].min() == TRAINED
        assert sorted(np.concatenate(deciding["projected_edges"].to_list())) == list(range(EDGES))


def test_by_thirty_masked_evaluations_and_by_none_where_the_largest_parameter_decides(projecting):
    for (method, _, _), run in projecting.groupby(RUN):
        evaluations = 0 if method == BY_SIZE else EDGES * OPS
        assert run["masked_accuracies"].map(len).sum() == run["masked_losses"].map(len).sum() == evaluations


def test_each_decision_is_what_the_supernet_did_worst_without(projecting):
    masked = projecting[projecting["masked_accuracies"].map(len) > 0]
    assert set(masked["method"]) == {PT, FIXED}
    for row in masked.to_dict("records"):
        accuracies = np.reshape(row["masked_accuracies"], (-1, OPS))
        losses = np.reshape(row["masked_losses"], (-1, OPS))
        worst = [np.lexsort((-loss, accuracy))[0] for accuracy, loss in zip(accuracies, losses, strict=True)]
        assert worst == list(row["projected_ops"])


def test_what_is_decided_never_changes_again(projecting):
    for _, run in projecting.groupby(RUN):
        decided: dict[int, int] = {}
        for row in run.to_dict("records"):
            decided |= dict(zip(row["projected_edges"], row["projected_ops"], strict=True))
            assert {edge: row["code"][edge] for edge in decided} == decided


def test_fixed_parameters_are_those_drawn_and_the_others_learn(projecting):
    for (method, _, _), run in projecting.groupby(RUN):
        alphas = np.stack(run["alphas"].to_list())
        assert (alphas == alphas[0]).all() == (method == FIXED)


@pytest.fixture(scope="module")
def tested(projecting: pd.DataFrame, shared_data: Path) -> pd.DataFrame:
    """CIFAR-10 test accuracy of what each supernet comes to: a row a seed, a column a method and selection."""
    path = shared_data / "nats-tss-cifar10.csv"
    if not path.exists():
        pytest.skip("the CIFAR-10 test accuracies of all cells are not on this machine")
    table = pd.read_csv(path).set_index("arch_index").sort_index()
    chosen = projections.choices(projecting, table["c10_test200_mean"].to_numpy())
    last = chosen.groupby(["method", "selection", "seed"], sort=False).tail(1)
    return last.pivot(index="seed", columns=["method", "selection"], values="accuracy")


def test_darts_pt_finds_good_cells_with_every_seed(tested):
    found = tested[PT, "projection"]
    assert len(found) == 6
    assert found.mean() >= 92.5
    assert found.min() >= 91


def test_it_finds_better_ones_than_the_largest_parameters_of_the_same_supernets(tested):
    assert (tested[PT, "projection"] > tested[PT, "magnitude"]).sum() >= 5
    assert tested[PT, "projection"].mean() > tested[BY_SIZE, "projection"].mean()


def test_fixed_parameters_do_though_their_largest_say_nothing(tested):
    assert tested[FIXED, "projection"].mean() >= 92
    assert tested[FIXED, "magnitude"].mean() < tested[FIXED, "projection"].mean() - 5


def shipped(settings: str) -> pd.DataFrame:
    return pd.read_parquet(FOLDER.parent / settings / "tss-digits.parquet")


@pytest.mark.parametrize("settings", ["nas-bench-201-digits", "nas-bench-201-bn0-digits"])
def test_the_six_searches_of_nas_bench_201_are_there_to_the_last_epoch(settings: str) -> None:
    found = shipped(settings)
    assert set(found["settings"]) == {settings}
    assert set(found["method"]) == {"rsps", "darts-v1", "darts-v2", "gdas", "setn", "enas"}
    assert found.groupby("method")["seed"].apply(set).map(sorted).map(tuple).nunique() == 1
    for (method, _, _), run in found.groupby(RUN):
        assert run["epoch"].tolist() == list(range(settings_of(settings, method, "tss").epochs + 1))
    manifest = manifest_of(FOLDER.parent / settings / "tss-digits.parquet")
    for search in manifest["searches"]:
        told = settings_of(settings, search["method"], "tss").as_json()
        assert {name: search[name] for name in told} == told


def test_the_norms_of_cells_change_nothing_where_no_candidate_is_evaluated() -> None:
    running, of_batch = (shipped(f"nas-bench-201{bn0}-digits") for bn0 in ("", "-bn0"))
    for method in ("darts-v1", "darts-v2", "gdas"):
        found = [runs[runs["method"] == method]["arch_index"].tolist() for runs in (running, of_batch)]
        assert found[0] == found[1]


@pytest.mark.parametrize("epochs", [40, 60])
def test_supernets_that_train_less_are_there_too(epochs: int) -> None:
    found = projections.projecting(shipped(f"digits-{epochs}"))
    assert found["seed"].nunique() >= 3
    for _, run in found.groupby(RUN):
        deciding = run[run["projected_edges"].map(len) > 0]
        assert deciding["epoch"].min() == epochs
        assert run["epoch"].tolist() == list(range(epochs + 11))
