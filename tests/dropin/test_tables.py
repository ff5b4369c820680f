"""The drop-ins over tables that are no official archives: as far as their data go, and never anything else instead."""

import random
import warnings
from pathlib import Path

import numpy as np
import pytest

import natslib
from natslib.nas_201_api import NASBench201API
from natslib.nats_bench import create
from natslib.tables import convert

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def published(published_table):
    return create("published", "tss", verbose=False)


def test_published_answers_what_it_holds(published, published_table):
    info = published.get_more_info(6111, "cifar10-valid", hp=200, is_random=888)
    where = {"dataset": "cifar10-valid", "recipe": "200", "seed": 888}
    assert info["valid-accuracy"] == published_table.value("accuracy", 6111, split="valid", **where)
    assert info["train-all-time"] == published_table.value("total_time_s", 6111, split="train", **where)
    assert published.find_best("cifar10", "valid", hp="200")[0] == 6111
    assert published.statistics("cifar100", "200") == {3: 8169, 2: 7456}
    older = NASBench201API("published", verbose=False)
    assert older.query_by_index(9930, "cifar100", hp="200").keys() == {777, 888, 999}
    assert "top1 = 91.61%" in published.query_by_arch(6111, "200")


def test_published_says_what_it_lacks(published):
    info = published.get_more_info(6111, "cifar10-valid", hp="200", is_random=False)
    assert "test-accuracy" not in info
    for ask, told in (
        (lambda: info["test-accuracy"], "not recorded after epoch 199 of architecture 6111"),
        (lambda: published.get_more_info(6111, "cifar10", hp="200"), "no dataset 'cifar10' at hp '200'"),
        (lambda: published.get_more_info(6111, "cifar100"), "no hp '12': the source has '200'"),
        (lambda: published.get_more_info(6111, "cifar100", 5, "200")["valid-accuracy"], "after epoch 5"),
        (lambda: published.get_cost_info(6111, "cifar100", "200")["flops"], "no 'flops'"),
        (lambda: published.find_best("cifar10", "valid", flop_max=9.0, hp="200"), "no flops_m"),
        (lambda: published.simulate_train_eval(6111, "cifar100", hp="200"), "no-validation-cost"),
    ):
        with pytest.raises(KeyError, match=told):
            ask()


def test_published_is_simulated_without_validation_cost(published_table):
    api = create("published", "tss", verbose=False, differences=["no-validation-cost"])
    random.seed(0)
    accuracy, latency, cost, used = api.simulate_train_eval(9930, "cifar10", hp="200")
    runs = published_table.per_seed("accuracy", dataset="cifar10-valid", recipe="200", split="valid").loc[
        9930
    ]
    assert accuracy in runs.tolist()
    assert latency is None  # it has no run of 'cifar10' itself
    assert cost == used == published_table.cost(dataset="cifar10-valid", recipe="200", validation=False)[9930]
    assert api.simulate_train_eval(9930, "cifar100", hp="200", account_time=False)[1] > 0
    assert api.used_time == used


def test_an_own_table_of_trained_networks():
    folder = ROOT / "logs" / "embedded-tss"
    table = natslib.load(folder)
    api = create(str(folder), "tss", verbose=False)
    index = int(
        np.flatnonzero(~np.isnan(table.values("accuracy", dataset="digits", recipe="36", split="test")))[0]
    )
    for epoch in (None, 0, 20, 35):
        info = api.get_more_info(index, "digits", epoch, "36", is_random=False)
        for split in ("train", "valid", "test"):
            where = {"dataset": "digits", "recipe": "36", "split": split, "epoch": epoch}
            assert info[f"{split}-accuracy"] == pytest.approx(
                table.value("accuracy", index, **where), rel=1e-7
            )
            assert info[f"{split}-all-time"] == pytest.approx(
                table.value("total_time_s", index, **where), rel=1e-12
            )
    assert api.simulate_train_eval(index, "digits", hp="36")[0] > 50
    assert api.get_net_config(index, "digits")["C"] == 8
    assert sum(api.statistics("digits", "12").values()) == 15_625 - len(table.missing())


def test_an_own_table_of_means(tmp_path):
    strings = natslib.spaces.TOPOLOGY.strings()
    rows = [f'"{strings[index]}",{60 + index},{10.5 + index}' for index in range(5)]
    (tmp_path / "in.csv").write_text("\n".join(["arch,acc,seconds", *rows]))
    (tmp_path / "columns.yaml").write_text(
        "space: tss\narch: arch\ncolumns:\n"
        "  acc: {dataset: cifar100, recipe: '12', split: valid, seed: mean, metric: accuracy}\n"
        "  seconds: {dataset: cifar100, recipe: '12', split: train, seed: mean, metric: total_time_s}\n"
    )
    convert(tmp_path / "in.csv", tmp_path / "table", columns=tmp_path / "columns.yaml")
    api = create(str(tmp_path / "table"), "tss", fast_mode=True, verbose=False)
    assert api.get_more_info(3, "cifar100", is_random=False)["valid-accuracy"] == 63
    assert api.find_best("cifar100", "valid", enforce_all=False) == (3, 63.0)
    with pytest.raises(ValueError, match="only the mean over the seeds is known"):
        api.get_more_info(3, "cifar100")
    with pytest.raises(KeyError, match="no dataset 'cifar100' of architecture 3"):
        api.query_by_index(3, hp="12").get_metrics("cifar100", "x-valid")
    with pytest.raises(AssertionError, match="architecture 9 is not in the source"):
        api.get_more_info(9, "cifar100", is_random=False)


def test_a_table_of_another_space_is_refused():
    with pytest.raises(ValueError, match="is of the size space"):
        create(str(ROOT / "logs" / "embedded-sss"), "tss", verbose=False)
    with pytest.raises(ValueError, match="search_space='tss' was asked for"):
        NASBench201API(ROOT / "logs" / "embedded-dag5", verbose=False)


def test_differences_are_switched_on_by_name(published_table, capsys):
    plain = create("published", "tss", verbose=False)
    better = create("published", "tss", verbose=False, differences=["numpy-index", "show-all"])
    asked = {"dataset": "cifar100", "hp": "200", "is_random": False}
    with pytest.raises(ValueError, match=r"give int\(index\)"):
        plain.get_more_info(np.int64(5), **asked)
    assert better.get_more_info(np.int64(5), **asked) == plain.get_more_info(5, **asked)
    with pytest.raises(KeyError, match="show-all"):
        plain.show(-1)
    better._at_hand = {0, 5}
    capsys.readouterr()
    better.show()
    assert capsys.readouterr().out.count("-th architecture!") == 2


def test_a_fallback_to_another_split_is_said_once_and_can_be_refused(shared_data, cache):
    folder = str(shared_data / "official-fragments" / "NATS-tss-v1_0-3ffb9-simple")
    api = create(folder, "tss", fast_mode=True, verbose=False)
    with pytest.warns(UserWarning, match="no-fallback"):
        accuracy, *_ = api.simulate_train_eval(0, "cifar100", iepoch=150, hp="200")
    runs = [
        api.get_more_info(0, "cifar100", 150, "200", seed)["valtest-accuracy"] for seed in (777, 888, 999)
    ]
    assert accuracy in runs
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        api.simulate_train_eval(0, "cifar100", iepoch=150, hp="200")
    strict = create(folder, "tss", fast_mode=True, verbose=False, differences="no-fallback")
    with pytest.raises(KeyError, match="no validation accuracy was recorded"):
        strict.simulate_train_eval(0, "cifar100", iepoch=150, hp="200")
    with pytest.warns(UserWarning, match="answers for the last one"):
        assert api.get_unique_str("nonsense") == api.get_unique_str(15_624)


def test_weights_are_refused_with_a_way_out(published):
    for ask in (
        lambda: published.get_net_param(6111, "cifar100", None, hp="200"),
        lambda: published.query_by_index(6111, "cifar100", "200")[777].get_net_param(),
        lambda: published.query_meta_info_by_index(6111, "200").get_net_param("cifar100", 777),
    ):
        with pytest.raises(
            ValueError, match="natslib train --space tss --arch 6111 --dataset cifar100 --recipe 200"
        ):
            ask()


def test_verbose_says_what_is_called(published_table, capsys):
    api = create("published", "tss")
    api.get_more_info(7, "cifar100", hp="200")
    assert "Call get_more_info with index=7, dataset=cifar100" in capsys.readouterr().out
