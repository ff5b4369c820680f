"""The notebooks of searches on the other kinds of table: a sample of own training, and genuine records in a CSV."""

import json
import shlex
import subprocess
import sys
from itertools import product
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import papermill
import pytest
import yaml

from natslib.search.leaderboard import check_entry
from natslib.tables import convert
from natslib.workflow.notebook import run_notebook

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(
    path.stem
    for path in (ROOT / "notebooks").glob("*.ipynb")
    if path.stem[:2] in {"06", "07", "08", "09", "10"}
)
FEW = {"runs": 4}
OTHERS = {"06": {"others": "npenas,hyperband", "runs_others": 2}}
WITH_PRINTED = {"07": "figure_table4.csv", "09": "figure_rows.csv"}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A table of own training with curves: 300 cells, 12 epochs, accuracies growing with the index."""
    folder = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    (folder / "logs").mkdir()
    lines = [json.dumps(record(int(arch), rng)) for arch in np.sort(rng.choice(15_625, 300, replace=False))]
    (folder / "logs" / "runs.jsonl").write_text("\n".join(lines))
    convert(folder / "logs", folder / "table", processes=1)
    return folder / "table"


def record(arch, rng):
    final = 70 + 20 * arch / 15_625 + rng.normal(0, 1)
    curve = [round(final - 30 / epoch, 3) for epoch in range(1, 13)]
    split = {
        "epoch": list(range(12)),
        "loss": [1.0] * 12,
        "accuracy": curve,
        "top5": [99.0] * 12,
        "time_s": [0.1] * 12,
    }
    return {
        "space": "tss", "arch_index": arch, "dataset": "digits", "recipe": "12", "seed": 777, "params_m": 0.1,
        "flops_m": 8.0, "latency_s": 0.01, "splits": dict.fromkeys(("train", "valid", "test"), split), "stamp": {},
    }  # fmt: skip


@pytest.fixture(scope="module")
def genuine(shared_data, tmp_path_factory):
    """CIFAR-10 of the topology space; the times of a 12-epoch epoch serve the 200-epoch recipe too, as officially."""
    folder = tmp_path_factory.mktemp("genuine")
    frame = pd.read_csv(shared_data / "nats-tss-cifar10.csv")
    columns = yaml.safe_load((ROOT / "tests/tables/nats-tss-cifar10.yaml").read_text())
    for name, split in (("T_train_epoch_c10v_s", "train"), ("E_valid_pass_c10v_s", "valid")):
        frame[f"{name}_200"] = frame[name]
        columns["columns"][f"{name}_200"] = columns["columns"][name] | {"recipe": "200", "split": split}
    frame.to_csv(folder / "records.csv", index=False)
    (folder / "columns.yaml").write_text(yaml.safe_dump(columns))
    convert(folder / "records.csv", folder / "table", columns=folder / "columns.yaml", processes=1)
    return folder / "table"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A CSV of accuracies and nothing else, as most people export it: no seeds, no times, two splits."""
    folder, rng = tmp_path_factory.mktemp("bare"), np.random.default_rng(0)
    arch = np.sort(rng.choice(15_625, 400, replace=False))
    frame = pd.DataFrame({"arch": arch, "val": 60 + arch / 600 + rng.normal(0, 1, len(arch))})
    frame.assign(test=frame["val"] + 1).to_csv(folder / "mine.csv", index=False)
    of = "seed: mean, metric: accuracy, dataset: cifar100, recipe: '12'"
    mapping = (
        f"space: tss\narch: arch\ncolumns:\n  val: {{{of}, split: valid}}\n  test: {{{of}, split: test}}\n"
    )
    (folder / "mine.yaml").write_text(mapping)
    convert(folder / "mine.csv", folder / "table", columns=folder / "mine.yaml", processes=1)
    return folder / "table"


def run(stem, table, folder, **parameters):
    """Run a notebook into `folder`; return what its check cell printed and showed, as text."""
    path = ROOT / "notebooks" / f"{stem}.ipynb"
    declared = papermill.inspect_notebook(path)
    places = {name: str(folder / name) for name in declared if name.startswith(("figure", "entry"))}
    run_notebook(
        path,
        folder / "executed.ipynb",
        {"table": str(table), **FEW, **OTHERS.get(stem[:2], {}), **places, **parameters},
    )
    cells = nbformat.read(folder / "executed.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_own_training_has_curves_and_nothing_printed_to_compare(stem, own, tmp_path):
    said = run(stem, own, tmp_path)
    if stem.startswith(("06", "07", "09")):
        assert "bohb" in said
    if stem.startswith("08"):
        assert "REA, 4 of 12 epochs" in said
    if stem[:2] in WITH_PRINTED:
        assert pd.read_csv(tmp_path / WITH_PRINTED[stem[:2]])["printed_mean"].isna().all()


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_genuine_records_without_curves(stem, genuine, tmp_path):
    said = run(stem, genuine, tmp_path)
    assert "bohb" not in said
    if stem.startswith("07"):
        rows = pd.read_csv(tmp_path / "figure_table4.csv").dropna(subset="printed_mean")
        assert set(zip(rows["method"], rows["split"], strict=True)) == set(
            product(["rea", "reinforce", "random", "resnet", "optimal"], ["valid", "test"])
        )
        assert (rows["difference"].abs() < 1).all()
    if stem.startswith("08"):
        assert "nothing is lacking" in said
        curves = pd.read_csv(tmp_path / "figure_proxy.csv")
        assert set(curves["method"]) == {"REA, 12 epochs", "REA, 200 epochs"}


@pytest.mark.parametrize("stem", ["06_anytime", "07_table4_multi_trial", "10_your_algorithm"])
def test_accuracies_alone_are_searched_drawn_and_put_on_the_leaderboard(stem, bare, tmp_path):
    run(stem, bare, tmp_path, budget="40 evaluations")
    caption = json.loads(next(tmp_path.glob("figure*.json")).read_text())["caption"]
    assert "a budget in evaluations, not in seconds" in caption
    if stem.startswith("10"):
        entry = json.loads((tmp_path / "entry" / "entry.json").read_text())
        assert (entry["evaluations"], entry["protocol"]["unit"]) == (40, "evaluations")
        assert "evaluations" in pd.read_csv(tmp_path / "figure_yours.csv")


@pytest.mark.parametrize("table", ["own", "bare"])
def test_a_leaderboard_entry_is_repeated_by_its_command(table, request, tmp_path):
    run("10_your_algorithm", request.getfixturevalue(table), tmp_path)
    command = shlex.split(json.loads((tmp_path / "entry" / "entry.json").read_text())["command"])
    again = [sys.executable, "-m", *command, "--out", str(tmp_path / "again")]
    subprocess.run(again, cwd=tmp_path / "entry", check=True, capture_output=True)
    check_entry(tmp_path / "entry", tmp_path / "again")
