"""`natslib compare` from somebody's file of scores to correlations, a warning and a figure."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from natslib import load
from natslib.analysis.equal_networks import answered
from natslib.commands import main
from natslib.commands.compare import table_scores
from natslib.spaces import get_space
from natslib.spaces.topology import to_naslib
from natslib.tables import Table
from natslib.tables.sources.scores import read_scores
from tests.search.small_table import ARCHS, small_table

TSS = get_space("tss")
FEW = ["--resamples", "5"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return small_table(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def folder(table: Table) -> str:
    return str(table._folder)


def scored(table: Table) -> pd.DataFrame:
    """Scores of all architectures of the table and one that it lacks, by index."""
    index = [*ARCHS, 1]
    accuracy = np.nan_to_num(
        table.values("accuracy", dataset="cifar100", recipe="12", split="test")[index], nan=50
    )
    noise = np.random.default_rng(0).normal(0, 5, len(index))
    return pd.DataFrame({"arch": index, "mine": accuracy + noise, "note": "n"})


def test_what_comes_out_is_scipys(
    table: Table, folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = scored(table)
    given.to_csv(tmp_path / "s.csv", index=False)
    assert main(["compare", str(tmp_path / "s.csv"), "--table", folder, "--json", *FEW]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert said.err.splitlines()[0] == "no numbers, so no score: note"
    rows = pd.DataFrame(told["rows"]).set_index(["split", "score"])
    assert set(rows.index) == {(s, n) for s in ("valid", "test") for n in ("mine", "parameters", "FLOPs")}
    accuracy = table.values("accuracy", dataset="cifar100", recipe="12", split="test")[list(ARCHS)]
    params = TSS.params_m(TSS.codes(list(ARCHS)), "cifar100")
    for name, values in {"mine": given["mine"][:-1], "parameters": params}.items():
        row = rows.loc["test", name]
        assert row["kendall"] == pytest.approx(stats.kendalltau(values, accuracy).statistic, abs=1e-12)
        assert (row["n"], row["dataset"], row["recipe"]) == (len(ARCHS), "cifar100", "12")
    assert rows.loc[("test", "mine"), "kendall_low"] < rows.loc[("test", "mine"), "kendall"]


def test_the_text_says_how_much_better_than_the_parameters(
    table: Table, folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(table).to_csv(tmp_path / "s.csv", index=False)
    assert main(["compare", str(tmp_path / "s.csv"), "--table", folder, *FEW]) == 0
    said = capsys.readouterr().out
    assert re.search(
        r"^C100-T: cifar100, split test, recipe 12; 60 architectures, \d+ networks$", said, re.MULTILINE
    )
    interval = r"-?\d\.\d{3} \[-?\d\.\d{3}, -?\d\.\d{3}\]"
    assert re.search(rf"^ *mine +{interval} +{interval} +{interval} +{interval}$", said, re.MULTILINE)
    assert re.search(rf"^ *parameters +{interval} +{interval} +{interval} +0\.000$", said, re.MULTILINE)


def test_equal_networks_among_the_scores_are_counted(
    table: Table, folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answered(TSS.classes()[list(ARCHS)])
    assert found["with an equal one"] > 0
    scored(table).iloc[:-1].to_csv(tmp_path / "s.csv", index=False)
    assert main(["compare", str(tmp_path / "s.csv"), "--table", folder, *FEW]) == 0
    said = capsys.readouterr().err
    assert (
        f"{found['with an equal one']} of the 60 architectures have an exactly equal network among them"
        in said
    )
    assert f"they are {found['networks']} different networks" in said
    one_each = [int(np.flatnonzero(TSS.classes() == c)[0]) for c in np.unique(TSS.classes())[:50]]
    pd.DataFrame({"arch": one_each, "x": range(50)}).to_csv(tmp_path / "one.csv", index=False)
    assert main(["compare", str(tmp_path / "one.csv"), *FEW]) == 0
    assert "equal network" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "form", ["index", "string", "code", "digits", "naslib", "names", "parquet", "semicolons"]
)
def test_architectures_may_be_written_as_in_own_tables(form: str, tmp_path: Path) -> None:
    index = [6111, 0, 9930, 1462]
    values = {"score": [0.5, 1.25, -3.0, np.nan]}
    codes = TSS.codes(index)
    path, how = tmp_path / "s.csv", {}
    if form == "string":
        frame = pd.DataFrame({"cell": [TSS.string(i) for i in index], **values})
    elif form in ("code", "digits"):
        texts = [str(tuple(c.tolist())) if form == "code" else "".join(map(str, c)) for c in codes]
        frame, how = pd.DataFrame({"arch": texts, **values}), {"encoding": "code"}
    elif form == "naslib":
        texts = [str(tuple(to_naslib(c).tolist())) for c in codes]
        frame, how = pd.DataFrame({"arch": texts, **values}), {"encoding": "naslib"}
    elif form == "names":
        names = np.array(TSS.choices)[codes]
        frame = pd.DataFrame({**{f"op{k}": names[:, k] for k in range(6)}, **values})
    else:
        frame = pd.DataFrame({"arch_index": index, **values})
    if form == "parquet":
        path = tmp_path / "s.parquet"
        frame.to_parquet(path)
    elif form == "semicolons":
        frame.to_csv(path, index=False, sep=";", decimal=",")
    else:
        frame.to_csv(path, index=False)
    scores, aside = read_scores(path, TSS, **how)
    assert scores.index.tolist() == index
    np.testing.assert_array_equal(scores["score"], values["score"])
    assert aside == []


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("arch,x\n5,1\n5,2\n", [], "architecture 5 stands twice: row 1 and row 2"),
        ("arch,x\n99999,1\n", [], "row 1: unknown topology architecture 99999"),
        ("arch,x\n5,\n7,\n8,\n", [], "0 of the 3 architectures have all scores and an accuracy"),
        ("arch,x\n5,one\n", [], "no column of numbers beside arch, so no score"),
        (
            "arch,x\n5,one\n",
            ["--score", "x"],
            "column 'x' holds something other than numbers: 'one' in row 1",
        ),
        ("arch,x\n5,1\n", ["--score", "y"], "no column 'y' in s.csv; it has arch, x"),
        ("arch,x\n5,1\n", ["--arch-column", "y"], "no column 'y' in s.csv; it has arch, x"),
        ("value,x\n5,1\n", [], "no column looks like architectures of tss"),
        ('arch,x\n"(1, 2, 3, 0, 1, 2)",1\n', [], "say --encoding: code (natslib's choices) or naslib"),
        ("arch,x\n64:64:64:64:64,1\n", [], "unknown topology architecture '64:64:64:64:64'"),
        ("arch,FLOPs\n5,1\n7,2\n9,4\n", [], "a score is called 'FLOPs', as one of the costs"),
        ("arch,x\n", [], "not one row in it"),
        ("arch,x\n5,1\n", ["--recipe", "13"], "unknown recipe '13'"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_line(
    text: str,
    more: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    published_table: Table,
) -> None:
    (tmp_path / "s.csv").write_text(text)
    assert main(["compare", str(tmp_path / "s.csv"), *FEW, *more]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("natslib compare: ")
    assert said in last


def test_a_figure_is_drawn_with_its_numbers(
    table: Table, folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = scored(table).drop(columns="note").assign(**{"a name longer than the axis": 1.0})
    frame["a name longer than the axis"] = np.arange(len(frame)) % 7
    frame.assign(same=1.0).to_csv(tmp_path / "s.csv", index=False)
    out = tmp_path / "drawn" / "mine.v2"
    assert main(["compare", str(tmp_path / "s.csv"), "--table", folder, "--figure", str(out), *FEW]) == 0
    assert f"drawn: {out}.svg" in capsys.readouterr().err
    drawn = pd.read_csv(f"{out}.csv")
    assert drawn["score"].unique().tolist() == [
        "mine",
        "a name longer than the axis",
        "same",
        "parameters",
        "FLOPs",
    ]
    record = json.loads(Path(f"{out}.json").read_text())
    best = drawn[drawn["score"] == "mine"].sort_values("gain").iloc[-1]
    assert f"mine reaches τ-b {best['kendall']:.3f} on {best['column']}" in record["caption"]
    assert record["table"]["space"] == "tss"
    frame[["arch"]].assign(same=1.0).to_csv(tmp_path / "same.csv", index=False)
    assert main(["compare", str(tmp_path / "same.csv"), "--table", folder, "--figure", str(out), *FEW]) == 0
    assert "Every score is the same" in json.loads(Path(f"{out}.json").read_text())["caption"]
    assert "Kendall τ-b" in Path(f"{out}.svg").read_text()


def test_through_classes_more_is_known(
    folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by = load(folder).through_classes().answered_by("cifar100", "12", "test")
    others = np.flatnonzero((by >= 0) & (by != np.arange(len(by))))[:20]
    pd.DataFrame({"arch": others, "x": np.arange(len(others))}).to_csv(tmp_path / "s.csv", index=False)
    words = ["compare", str(tmp_path / "s.csv"), "--table", folder, "--json", *FEW]
    assert main(words) == 1
    assert "0 of the 20 architectures" in capsys.readouterr().err
    assert main([*words, "--through-class"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["n"] == 20


def test_in_python_one_call_does_it(table: Table) -> None:
    scores = scored(table).set_index("arch")[["mine"]].rename_axis("arch_index")
    rows = table_scores(table, scores, resamples=0).rows
    assert rows["column"].unique().tolist() == ["C100-V", "C100-T"]
