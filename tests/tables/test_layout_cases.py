"""The inputs that users stumbled over, as they were found; each gives what it should."""

import shutil
from pathlib import Path

import pytest

from natslib.commands import main
from natslib.errors import BadSource, ConfigError
from natslib.tables import Table, convert, load

WHERE = {"dataset": "cifar10-valid", "recipe": "200", "split": "valid"}


@pytest.fixture
def case(tmp_path, request) -> Path:
    """A copy of the folder of a case, its mapping in today's words."""
    shared = Path(__file__).resolve().parents[3] / "shared" / "cases" / request.param
    if not shared.is_dir():
        pytest.skip("the users' files in ../shared/cases are not on this machine")
    folder = tmp_path / request.param
    folder.mkdir()
    for file in shared.iterdir():
        shutil.copyfile(file, folder / file.name)
    columns = folder / "columns.yaml"
    columns.write_text(columns.read_text().replace("budget:", "recipe:"))
    return folder


def converted(case: Path, name: str = "in.csv") -> Table:
    convert(case / name, case / f"table of {name}", columns=case / "columns.yaml")
    return load(case / f"table of {name}")


def edited(case: Path, *pairs: tuple[str, str]) -> Path:
    columns = case / "columns.yaml"
    for old, new in pairs:
        assert old in columns.read_text()
        columns.write_text(columns.read_text().replace(old, new))
    return case


@pytest.mark.parametrize("case", ["c03-fixed-mapping-same-folder"], indirect=True)
def test_a_refused_mapping_or_source_does_not_spoil_the_folder(case):
    columns, source = case / "columns.yaml", case / "in.csv"
    whole = columns.read_text(), source.read_text()
    columns.write_text(whole[0].replace("seed: mean", "seed: avg"))
    with pytest.raises(ConfigError, match="seed 'avg'"):
        convert(source, case / "t", columns=columns)
    columns.write_text(whole[0])
    source.write_text(whole[1].replace("91.607", "n/a"))
    with pytest.raises(BadSource, match="'n/a' in row 6"):
        convert(source, case / "t", columns=columns)
    source.write_text(whole[1])
    assert convert(source, case / "t", columns=columns)["rows"] == 8


@pytest.mark.parametrize("case", ["c05-one-column-three-datasets"], indirect=True)
def test_one_column_holds_for_several_datasets(case):
    table = converted(case)
    assert table.value("latency_s", 6111, **WHERE) == 0.0125
    assert table.value("latency_s", 6111, **WHERE | {"dataset": "cifar100"}) == 0.0125
    assert len(table.frame()) == 16  # accuracy and latency of cifar10-valid share theirs


@pytest.mark.parametrize("case", ["c09-suffixes"], indirect=True)
@pytest.mark.parametrize("name", ["in.CSV", "in.csv.gz", "in.tsv", "in.pq"])
def test_suffixes_of_the_same_rows(case, name):
    table = converted(case, name)
    assert len(table.frame()) == 8
    assert table.value("accuracy", 6111, **WHERE) == 91.607


@pytest.mark.parametrize("case", ["c10-semicolon-decimal-comma", "c11-float-index"], indirect=True)
def test_other_numbers_and_separators(case):
    table = converted(case)
    assert len(table.frame()) == 8
    assert table.value("accuracy", 6111, **WHERE) == 91.607


@pytest.mark.parametrize("case", ["c13-ops-in-columns-and-tuples"], indirect=True)
@pytest.mark.parametrize(
    ("arch", "encoding"),
    [("[hp_x0, hp_x1, hp_x2, hp_x3, hp_x4, hp_x5]", "names"), ("code", "code"), ("naslib", "naslib")],
)
def test_operations_in_columns_and_the_two_tuples(case, arch, encoding):
    with pytest.raises(BadSource, match=r"row 1: '\(4, 2, 1, 2, 1, 1\)' is a tuple; say whose order"):
        converted(case)
    table = converted(edited(case, ("arch: code", f"arch: {arch}\nencoding: {encoding}")))
    assert sorted(table.frame()["arch_index"]) == [0, 1, 2, 137, 857, 6111, 9930, 10676]
    assert table.value("accuracy", 6111, **WHERE) == 91.607


@pytest.mark.parametrize("case", ["c14-long-format"], indirect=True)
def test_a_row_a_run(case):
    with pytest.raises(BadSource, match=r"stands twice .*row 1 of in\.csv and row 2 .*under 'keys'"):
        converted(case)
    target = "{dataset: cifar10-valid, recipe: 200, split: valid, seed: 777, metric: accuracy}"
    keys = "keys: {seed: seed, dataset: dataset, recipe: epochs}\ncolumns:"
    table = converted(edited(case, (target, "{split: valid, metric: accuracy}"), ("columns:", keys)))
    assert len(table.frame()) == 16
    assert table.value("accuracy", 6111, seed=888, **WHERE) == 91.707


@pytest.mark.parametrize("case", ["c17-elapsed-time-as-epoch-time"], indirect=True)
def test_the_unit_of_a_time_is_said_before_and_after(case, capsys):
    call = ["convert", str(case / "in.csv"), str(case / "t"), "--columns", str(case / "columns.yaml")]
    assert main([*call, "--explain"]) == 1
    assert "time_s (s an epoch or pass) or total_time_s (s, all epochs)" in capsys.readouterr().err
    edited(case, ("metric: time_s", "metric: elapsed"))
    assert main(call) == 1
    assert "time_s: s an epoch or pass; total_time_s: s, all epochs" in capsys.readouterr().err


@pytest.mark.parametrize("case", ["c19-digit-codes"], indirect=True)
def test_digits_with_leading_zeros_are_codes_only_where_it_is_said(case):
    with pytest.raises(BadSource, match=r"row 1: '001234' may be the official index 1234 or the code"):
        converted(case)
    table = converted(edited(case, ("arch: arch", "arch: arch\nencoding: code")))
    assert table.value("accuracy", (0, 0, 1, 2, 3, 4), **WHERE) == 80.1
