"""Every number that the official reader returns for the genuine records is returned by our table too."""

import sys
from pathlib import Path

import numpy as np
import pytest

from natslib.tables import Table, convert, load
from natslib.tables.sources.official import split_name

nats_bench = pytest.importorskip("nats_bench", reason="the official reader is not installed (extra 'dev')")

FOLDERS = {"tss": "NATS-tss-v1_0-3ffb9-simple", "sss": "NATS-sss-v1_0-50262-simple"}
BUDGETS = {"tss": ("12", "200"), "sss": ("01", "12", "90")}
DATASETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
INDICES = (0, 11)
# From Python 3.12 on `sum` of floats, which the official reader uses, is compensated: the last bits differ.
REL = 0.0 if sys.version_info < (3, 12) else 1e-14
FLOAT32 = 2.0**-24


@pytest.fixture(scope="module", params=["tss", "sss"])
def pair(request, shared_data, tmp_path_factory):
    space = request.param
    archive = shared_data / "official-fragments" / FOLDERS[space]
    folder = tmp_path_factory.mktemp(space) / "table"
    convert(archive, folder, processes=1)
    return space, nats_bench.create(str(archive), space, fast_mode=True, verbose=False), load(folder)


def same(ours: float, theirs: float, rel: float = REL) -> bool:
    return ours == theirs if rel == 0 else bool(np.isclose(ours, theirs, rtol=rel, atol=0))


def test_get_more_info_at_the_last_epoch_to_the_last_bit(pair):
    space, api, table = pair
    compared = 0
    for index, dataset, recipe in cases(space):
        for seed in ("mean", *api.query_meta_info_by_index(index, recipe).get_dataset_seeds(dataset)):
            info = api.get_more_info(index, dataset, hp=recipe, is_random=False if seed == "mean" else seed)
            compared += compare_info(info, table, index, dataset, recipe, seed, None, int(recipe))
    assert compared > 400


def test_get_more_info_at_every_epoch_to_float32_and_times_to_the_last_bit(pair):
    space, api, table = pair
    compared = 0
    for index, dataset, recipe in cases(space):
        for epoch in range(0, int(recipe), 7):
            info = api.get_more_info(index, dataset, hp=recipe, iepoch=epoch, is_random=False)
            compared += compare_info(info, table, index, dataset, recipe, "mean", epoch, epoch + 1)
    assert compared > 500


def cases(space):
    return [(i, d, b) for i in INDICES for d in DATASETS for b in BUDGETS[space]]


def compare_info(info, table, index, dataset, recipe, seed, epoch, epochs) -> int:
    numbers = {key: value for key, value in info.items() if key != "comment"}
    for key, theirs in numbers.items():
        split, what = key.split("-", 1)
        metric = {"per-time": "total_time_s", "all-time": "total_time_s"}.get(what, what)
        where = {"dataset": dataset, "recipe": recipe, "split": split, "seed": seed, "epoch": epoch}
        ours = table.value(metric, index, **where) / (epochs if what == "per-time" else 1)
        rel = FLOAT32 if epoch is not None and metric in ("loss", "accuracy") else REL
        assert same(ours, theirs, rel), (key, index, where, ours, theirs)
    return len(numbers)


def test_every_run_of_every_set_at_every_epoch(pair):
    """`query_by_index`, `get_train`, `get_eval` of each ResultsCount, and its params, flops and latency."""
    space, api, table = pair
    for index, dataset, recipe in cases(space):
        for seed, run in api.query_by_index(index, dataset, recipe).items():
            where = {"dataset": dataset, "recipe": recipe, "seed": seed}
            assert same(table.value("params_m", index, split="train", **where), run.params)
            assert same(table.value("flops_m", index, split="train", **where), run.flop)
            assert same(table.value("latency_s", index, split="train", **where), run.get_latency())
            assert run.get_total_epoch() == int(recipe)
            compare_curve(table, index, where, "train", {e: run.get_train(e) for e in range(int(recipe))})
            for name in run.get_eval_set():
                recorded = [e for e in range(int(recipe)) if f"{name}@{e}" in run.eval_acc1es]
                split = split_name(name, dataset)
                compare_curve(table, index, where, split, {e: run.get_eval(name, e) for e in recorded})


def kept(theirs: np.ndarray, to_the_end: bool) -> np.ndarray:
    """What a table keeps of a curve: single precision, but for the last epoch."""
    single = theirs.astype(np.float32).astype(np.float64)
    return np.append(single[:-1], theirs[-1]) if to_the_end else single


def compare_curve(table: Table, index, where, split, infos) -> None:
    epochs = int(where["recipe"])
    for metric in ("loss", "accuracy"):
        curve = table.curve(metric, index, split=split, **where)
        assert curve["epoch"].tolist() == list(infos)
        theirs = np.array([info[metric] for info in infos.values()])
        np.testing.assert_array_equal(curve[metric].to_numpy(), kept(theirs, list(infos)[-1] + 1 == epochs))
    times = table.curve("time_s", index, split=split, **where).set_index("epoch")["time_s"]
    assert [times[e] for e in infos] == [info["cur_time"] for info in infos.values()]


def test_top5_which_the_reader_keeps_without_a_method(pair):
    _, api, table = pair
    recipe = "12"
    for seed, run in api.query_by_index(0, "cifar100", recipe).items():
        curve = table.curve("top5", 0, dataset="cifar100", recipe=recipe, split="train", seed=seed)
        theirs = np.array(list(run.train_acc5es.values()))
        np.testing.assert_array_equal(curve["top5"].to_numpy(), kept(theirs, to_the_end=True))


def test_get_cost_info_and_get_latency(pair):
    space, api, table = pair
    for index, dataset, recipe in cases(space):
        cost = api.get_cost_info(index, dataset, recipe)
        where = {"dataset": dataset, "recipe": recipe}
        assert same(table.value("params_m", index, split="train", **where), cost["params"])
        assert same(table.value("flops_m", index, split="train", **where), cost["flops"])
        assert same(table.value("latency_s", index, split="train", **where), cost["latency"])
        assert same(
            table.value("latency_s", index, split="train", **where), api.get_latency(index, dataset, recipe)
        )
        for name in (key[2:-6] for key in cost if key.endswith("@total")):
            split = "train" if name == "train" else split_name(name, dataset)
            total = table.per_seed("total_time_s", split=split, **where).loc[index].dropna()
            assert same(sum(total) / len(total), cost[f"T-{name}@total"])
            assert same(sum(total / int(recipe)) / len(total), cost[f"T-{name}@epoch"])


def test_simulate_train_eval(pair):
    space, api, table = pair
    for index, dataset, recipe in cases(space):
        if dataset == "cifar10-valid":
            continue
        key = "cifar10-valid" if dataset == "cifar10" else dataset
        accuracy, latency, cost, _ = api.simulate_train_eval(index, dataset, hp=recipe)
        runs = table.per_seed("accuracy", dataset=key, recipe=recipe, split="valid").loc[index].dropna()
        assert accuracy in runs.tolist()
        assert same(table.value("latency_s", index, dataset=dataset, recipe=recipe, split="train"), latency)
        assert any(
            same(table.cost(dataset=key, recipe=recipe, seed=seed)[index], cost) for seed in runs.index
        )


def test_statistics_find_best_and_lookups(pair):
    space, api, table = pair
    for dataset in DATASETS:
        for recipe in BUDGETS[space]:
            train = table.summary("accuracy", dataset=dataset, recipe=recipe, split="train")
            count = train["count"].loc[list(INDICES)].astype(int)
            assert api.statistics(dataset, recipe) == count.value_counts().to_dict()
    for index in range(0, len(api), 997):
        assert table.space.string(index) == api.arch(index)
        assert api.query_index_by_arch(table.space.string(index)) == index
    assert table.space.index(api.arch(len(api) - 1)) == len(api) - 1
    api.reset_fast_mode(False)  # so that find_best looks at the two records there are
    for dataset, split, key in (
        ("cifar10", "valid", "cifar10-valid"),
        ("cifar10", "test", "cifar10"),
        ("cifar100", "valid", "cifar100"),
        ("ImageNet16-120", "test", "ImageNet16-120"),
    ):
        best = table.best(dataset=key, recipe="12", split=split)
        index, accuracy = api.find_best(dataset, split, hp="12", enforce_all=False)
        assert (best["arch_index"][0], best["accuracy"][0]) == (index, accuracy)


# Values quoted from the official files (spec D4), checked without the official reader.


@pytest.fixture(scope="module")
def tss(shared_data, tmp_path_factory) -> Table:
    folder: Path = tmp_path_factory.mktemp("d4") / "table"
    convert(shared_data / "official-fragments" / FOLDERS["tss"], folder, processes=1)
    return load(folder)


@pytest.mark.parametrize(
    ("index", "dataset", "cost"),
    [
        (0, "cifar10-valid", 89.2020952247438),
        (0, "cifar100", 173.81602782294863),
        (0, "ImageNet16-120", 526.1169853222713),
        (11, "cifar10-valid", 153.6959332625),
        (11, "cifar100", 299.9196134408),
        (11, "ImageNet16-120", 907.9352778454),
    ],
)
def test_quoted_costs(tss, index, dataset, cost):
    assert tss.cost(dataset=dataset, recipe="12")[index] == pytest.approx(cost, abs=1e-9)


def test_quoted_values(tss):
    c10v = {"dataset": "cifar10-valid", "recipe": "12"}
    assert tss.value("accuracy", 0, split="valid", seed=777, **c10v) == pytest.approx(62.712, abs=1e-6)
    assert tss.value("accuracy", 0, split="valid", seed=111, **c10v) == pytest.approx(64.016, abs=1e-6)
    assert tss.value("accuracy", 0, split="valid", **c10v) == pytest.approx(63.364, abs=1e-6)
    assert tss.value("accuracy", 0, split="train", **c10v) == pytest.approx(64.446, abs=1e-6)
    assert tss.value("accuracy", 0, split="test", **c10v) == pytest.approx(63.24, abs=1e-6)
    assert tss.value("latency_s", 0, split="train", **c10v) == pytest.approx(0.0139359758611311, abs=1e-16)
    assert tss.value("total_time_s", 0, split="train", **c10v) == pytest.approx(86.65311598777771, abs=1e-11)
    assert tss.value("time_s", 0, split="valid", **c10v) == pytest.approx(2.5489792369660873, abs=1e-12)
    cost = tss.cost(dataset="cifar10-valid", recipe="200", epoch=24)
    assert cost[0] == pytest.approx(183.076304211503, abs=1e-9)
    c100 = {"dataset": "cifar100", "recipe": "200", "seed": 777}
    for split, accuracy in {"train": 57.578, "valid": 51.88, "test": 51.98, "valtest": 51.93}.items():
        assert tss.value("accuracy", 0, split=split, **c100) == pytest.approx(accuracy, abs=1e-6)
    assert tss.value("total_time_s", 0, split="train", **c100) == pytest.approx(2888.4371995925903, abs=1e-9)


@pytest.mark.parametrize(
    ("index", "dataset", "split", "accuracies"),
    [
        (0, "cifar10", "test", (85.62, 86.18, 85.79)),
        (0, "cifar10-valid", "valid", (82.092, 81.616, 82.240)),
        (0, "cifar100", "valid", (51.88, 53.08, 53.14)),
        (0, "ImageNet16-120", "test", (27.033, 25.767, 27.1)),
        (11, "cifar10", "test", (91.79, 91.76, 91.20)),
        (11, "cifar100", "test", (66.86, 67.68, 68.28)),
        (11, "ImageNet16-120", "test", (29.233, 30.967, 30.3)),
    ],
)
def test_quoted_200_epoch_runs(tss, index, dataset, split, accuracies):
    runs = tss.per_seed("accuracy", dataset=dataset, recipe="200", split=split).loc[index]
    assert runs.index.tolist() == [777, 888, 999]
    assert runs.to_numpy() == pytest.approx(np.array(accuracies), abs=5e-4)
