"""What the notebooks of the figures do with a source that lacks what they draw: they say it, and draw the rest."""

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from natslib.spaces import get_space
from natslib.tables import convert
from natslib.workflow.notebook import run_notebook

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
COLUMNS = {"a": ("cifar10-valid", "valid"), "b": ("cifar10", "test"), "c": ("cifar100", "valid")}
MAPPING = "space: tss\narch: arch\ncolumns:\n" + "".join(
    f"  {name}: {{dataset: {dataset}, recipe: '200', split: {split}, seed: 777, metric: accuracy}}\n"
    for name, (dataset, split) in COLUMNS.items()
)


def small_table(folder: Path, indices: list[int]) -> str:
    """Convert one run of a few cells, none of them marked by the paper and none above 92 %."""
    frame = pd.DataFrame({"arch": [get_space("tss").string(index) for index in indices]})
    for name in COLUMNS:
        frame[name] = [50.0 + index for index in indices]
    frame.to_csv(folder / "few.csv", index=False)
    (folder / "few.yaml").write_text(MAPPING)
    convert(folder / "few.csv", folder / "t", columns=folder / "few.yaml")
    return str(folder / "t")


def texts_of(executed: Path, kind: str) -> str:
    cells = nbformat.read(executed, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(output.text for output in outputs if output.get("name") == kind)


def words_in(figure: Path) -> str:
    """Return the text of a figure: matplotlib writes each drawn line as a comment beside its glyphs."""
    return " ".join(line.strip() for line in re.findall("<!--(.*?)-->", figure.read_text(), flags=re.DOTALL))


@pytest.mark.parametrize(
    ("notebook", "figures", "words"),
    [
        ("02_accuracy_vs_cost", ["figure3"], "No marked architecture in this source"),
        ("03_ranks", ["figure2", "figure4"], "3 are needed to correlate"),
        ("04_correlation", ["figure5"], "3 are needed to correlate"),
        ("05_seed_noise", ["figure_noise", "figure_stability"], "no accuracy of two or more seeds"),
    ],
)
@pytest.mark.parametrize("indices", [[2, 9], [2, 9, 11, 13]], ids=["two cells", "four cells"])
def test_it_says_what_is_not_there_and_draws_the_rest(notebook, figures, words, indices, tmp_path):
    if (notebook, len(indices)) == ("03_ranks", 4):
        words = "τ-b = 1.000"
    stems = {name: str(tmp_path / name) for name in figures}
    parameters = {"table": small_table(tmp_path, indices), **stems}
    run_notebook(NOTEBOOKS / f"{notebook}.ipynb", tmp_path / "executed.ipynb", parameters)
    assert "Warning" not in texts_of(tmp_path / "executed.ipynb", "stderr")
    assert words in " ".join(words_in(Path(f"{stem}.svg")) for stem in stems.values())
