"""Metrics that natslib does not know, with a unit and a sense: declared, stored, asked, searched for and drawn."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from natslib.commands import main
from natslib.errors import BadSource, NatslibError, NotMeasured, UnknownName
from natslib.spaces import get_space
from natslib.tables import convert, load
from natslib.tables.format.schema import METRICS, Metric
from natslib.tables.sources.tidy import read_tidy
from tests.notebooks.test_lacking import NOTEBOOKS, words_in

TSS = get_space("tss")
INDEX = np.arange(0, 15_600, 130)
ENERGY = np.random.default_rng(0).uniform(-3, 40, len(INDEX)).round(3)
WHERE = {"dataset": "cifar10-valid", "recipe": "200", "split": "valid"}
OWN = {"energy_j": {"unit": "J", "better": "lower"}, "robust": {"unit": "%", "better": "higher"}}


def written(folder, metrics=OWN, split="valid", seed="mean"):
    """Write accuracies of two seeds, and two metrics of one's own."""
    place = WHERE | {"split": split, "seed": seed}
    columns = {f"acc{seed}": WHERE | {"seed": seed, "metric": "accuracy"} for seed in (777, 888)}
    columns |= {"energy": place | {"metric": "energy_j"}, "rob": place | {"metric": "robust"}}
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"arch": INDEX, "acc777": rng.uniform(50, 90, len(INDEX)), "acc888": rng.uniform(50, 90, len(INDEX))}
    )
    frame.assign(energy=ENERGY, rob=50 - ENERGY).to_csv(folder / "mine.csv", index=False)
    mapping = {"space": "tss", "arch": "arch", "metrics": metrics, "columns": columns}
    (folder / "mine.yaml").write_text(yaml.safe_dump(mapping))
    return folder / "mine.csv", folder / "mine.yaml"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    source, mapping = written(folder)
    convert(source, folder / "t", columns=mapping)
    return str(folder / "t")


def test_it_is_asked_like_any_other(table):
    opened, best = load(table), int(INDEX[ENERGY.argmin()])
    assert opened.metrics["energy_j"] == Metric("J", "lower")
    assert list(opened.metrics) == [*METRICS, "energy_j", "robust"]
    assert opened.value("energy_j", 130, **WHERE) == ENERGY[1]
    np.testing.assert_array_equal(opened.values("energy_j", **WHERE)[INDEX], ENERGY)
    assert opened.best("energy_j", **WHERE)["arch_index"].tolist() == [best]
    assert opened.best("robust", **WHERE)["arch_index"].tolist() == [best]
    assert opened.ranks("energy_j", **WHERE)[best] == 1
    assert opened.regret("energy_j", **WHERE)[0] == pytest.approx(ENERGY[0] - ENERGY.min())
    assert opened.frame()["energy_j"].notna().sum() == len(INDEX)
    assert {"energy_j", "robust"} <= set(opened.measured_metrics(**WHERE))
    assert opened.values("accuracy", **WHERE)[INDEX].min() >= 50
    assert opened.through_classes().value("energy_j", 130, **WHERE) == ENERGY[1]


def test_what_is_not_there_is_said(table):
    opened = load(table)
    with pytest.raises(NotMeasured, match="energy_j of architecture 1 "):
        opened.value("energy_j", 1, **WHERE)
    with pytest.raises(NotMeasured, match="energy_j at epoch 3"):
        opened.value("energy_j", 130, epoch=3, **WHERE)
    with pytest.raises(UnknownName, match="did you mean 'energy_j'"):
        opened.value("energy", 130, **WHERE)
    with pytest.raises(UnknownName, match="metric of a curve"):
        opened.curve("energy_j", 130, seed=777, **WHERE)
    with pytest.raises(UnknownName, match="did you mean 'energy_j'"):
        opened.runs("energy")
    assert opened.runs("energy_j")["seed"].tolist() == ["mean"]
    assert opened.runs("accuracy")["seed"].tolist() == [777, 888]
    with pytest.raises(UnknownName):
        load("published").values("energy_j", **WHERE)


def test_the_command_line_tells_its_unit_and_sense(table, capsys):
    where = [text for name, value in WHERE.items() for text in (f"--{name}", value)]
    assert main(["query", table, "--arch", "130", "--metric", "energy_j", *where]) == 0
    told = capsys.readouterr().out
    assert "energy_j [J]" in told
    assert str(ENERGY[1]) in told
    assert main(["info", table]) == 0
    told = capsys.readouterr().out
    assert "own metric  energy_j (J), lower is better" in told
    assert "accuracy energy_j robust; curves: none" in told
    assert main(["convert", table, f"{table}-copy"]) == 0
    assert load(f"{table}-copy").metrics["robust"] == Metric("%", "higher")


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        (
            ["energy_j"],
            "'metrics' declares metrics of your own, as in metrics: {energy_j: {unit: J, better: lower}}",
        ),
        ({"energy_j": "J"}, "metric 'energy_j' needs exactly its unit and what is better"),
        ({"energy_j": {"unit": "J"}}, "needs exactly its unit"),
        ({"energy_j": {"unit": "J", "better": "less"}}, "higher or lower"),
        ({"energy_j": {"unit": "", "better": "lower"}}, "needs exactly its unit"),
        ({"energy_j": {"unit": "J", "better": "lower", "of": "us"}}, "needs exactly its unit"),
        ({"accuracy": OWN["robust"]}, "cannot be called 'accuracy'"),
        ({"arch_index": OWN["robust"]}, "cannot be called 'arch_index'"),
        ({"mean": OWN["robust"]}, "cannot be called 'mean'"),
        ({"energy j": OWN["robust"]}, "allowed are letters, digits and _"),
        ({"énergie": OWN["robust"]}, "allowed are letters, digits and _"),
        ({}, r"unknown metric of column 'energy' 'energy_j': .*your own stand under 'metrics'"),
    ],
)
def test_a_wrong_declaration_is_refused(metrics, words, tmp_path):
    with pytest.raises(NatslibError, match=words if "unknown" in words else re.escape(words)):
        read_tidy(*written(tmp_path, metrics))


def test_its_values_are_finite_numbers_of_any_size(tmp_path):
    source, mapping = written(tmp_path)
    frame = pd.read_csv(source)
    frame.loc[3, "energy"] = np.inf
    frame.to_csv(source, index=False)
    with pytest.raises(BadSource, match=r"inf in row 4 cannot be energy_j \(J\)"):
        read_tidy(source, mapping)
    frame.assign(energy=["-", *frame["energy"][1:]]).to_csv(source, index=False)
    with pytest.raises(BadSource, match="'-' in row 1"):
        read_tidy(source, mapping)


@pytest.mark.parametrize("split", ["valid", "train"])
@pytest.mark.parametrize(("metric", "unit"), [("energy_j", "J"), ("robust", "%")])
def test_it_is_searched_for_in_its_sense_and_reported_in_its_unit(metric, unit, split, tmp_path, capsys):
    source, mapping = written(tmp_path, split=split)
    convert(source, tmp_path / "t", columns=mapping)
    options = ["--algorithm", "random", "--dataset", "cifar10", "--runs", "3", "--seed", "0"]
    options += ["--budget", "2000 evaluations"]
    table = ["--table", str(tmp_path / "t"), "--metric", metric, "--out", str(tmp_path / "searched")]
    assert main(["search", *options, *table]) == 0
    told = capsys.readouterr().out
    best = ENERGY.min() if metric == "energy_j" else 50 - ENERGY.min()
    assert f"{metric} (recipe 200): {best:.6g} ± 0 {unit}" in told
    assert f"a search for {metric}, not for accuracy" in told
    assert json.loads((tmp_path / "searched" / "search.json").read_text())["source"]["metric"] == metric


def test_another_metric_is_searched_for_too_and_an_unknown_one_refused(table, tmp_path, capsys):
    options = ["--dataset", "cifar10", "--runs", "2", "--seed", "0", "--algorithm"]
    more = ["--table", table, "--out", str(tmp_path), "--budget", "20 evaluations"]
    assert main(["search", *options, "rea", *more, "--metric", "energy"]) == 1
    assert "did you mean 'energy_j'" in capsys.readouterr().err
    assert main(["search", *options, "hyperband", *more, "--metric", "energy_j"]) == 1
    assert "energy_j" in capsys.readouterr().err
    for algorithm in ("rea", "reinforce", "tpe", "bananas"):
        out = ["--out", str(tmp_path / algorithm)]
        assert main(["search", *options, algorithm, *more, *out, "--metric", "energy_j"]) == 0


def test_the_cost_axis_of_figure_3_can_be_it(table, tmp_path):
    from natslib.workflow.notebook import run_notebook

    asked = {"table": table, "costs": "energy_j,flops_m", "figure3": str(tmp_path / "fig")}
    run_notebook(NOTEBOOKS / "02_accuracy_vs_cost.ipynb", tmp_path / "executed.ipynb", asked)
    assert "energy_j (J)" in words_in(tmp_path / "fig.svg")
    drawn = pd.read_csv(tmp_path / "fig.csv").set_index("arch_index")
    np.testing.assert_array_equal(drawn["energy_j CIFAR-10"].to_numpy(), ENERGY)
    assert {"flops_m CIFAR-10"} == {name for name in drawn if name.startswith(("flops", "params"))}
