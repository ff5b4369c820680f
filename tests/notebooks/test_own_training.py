"""The notebooks of our own benchmark on tables that lack something: they say it, and draw the rest."""

import json
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd

from natslib.tables import convert
from natslib.workflow.notebook import run_notebook

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def record(arch: int, recipe: str, seed: int, accuracy: float) -> dict:
    split = {"epoch": [0], "loss": [1.0], "accuracy": [accuracy], "time_s": [0.1]}
    keys = {"space": "sss", "arch_index": arch, "dataset": "digits", "recipe": recipe, "seed": seed}
    costs = {"params_m": 0.1 + arch / 1e5, "flops_m": 1.0, "latency_s": 0.01}
    return keys | costs | {"splits": {"train": split, "test": split}}


def test_the_size_space_has_seeds_and_parameters_but_nothing_real(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [
        json.dumps(record(arch, recipe, seed, float(50 + arch / 100 + rng.normal())))
        for recipe, seeds in (("12", (777, 888)), ("36", (777,)))
        for seed in seeds
        for arch in range(0, 3000, 100)
    ]
    (tmp_path / "runs.jsonl").write_text("\n".join(lines) + "\n")
    convert(tmp_path, tmp_path / "t", processes=1)
    where = {"table": str(tmp_path / "t"), "figure_quality": str(tmp_path / "q")}
    run_notebook(NOTEBOOKS / "14_embedded_quality.ipynb", tmp_path / "executed.ipynb", where)
    cells = nbformat.read(tmp_path / "executed.ipynb", as_version=4).cells
    said = "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))
    assert "nothing real to compare with: published has no C10-V of the size space" in said
    rows = pd.read_csv(tmp_path / "q.csv").set_index("column")
    assert rows.index.tolist() == ["digits, recipe 12, test", "digits, recipe 36, test"]
    assert rows["seeds_cells"].tolist() == [30, 0]
    assert rows["real_tau"].isna().all()
    assert (rows["params_tau"] > 0.7).all()
