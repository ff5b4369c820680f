"""Files that hold a table: what each kind is read as, and how damage is said."""

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from natslib.errors import BadSource, ConfigError
from natslib.tables.sources import frames
from natslib.tables.sources.cells import decimal_sign, numbers
from natslib.tables.sources.frames import kind, read_sheet


def written(folder: Path, content: bytes, name: str = "in.csv") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n", [["1", "2"]]),
        (b"a,b\r\n1,2\r\n", [["1", "2"]]),
        (b"a,b\r1,2\r", [["1", "2"]]),
        (b"\n\na,b\n\n001,2", [["001", "2"]]),
        (b'a,b\n"1,5","say ""hi""\nto me"\n', [["1,5", 'say "hi"\nto me']]),
        (b"sep=;\na;b\n1;2\n", [["1", "2"]]),
        (b"a, b\nNA,\n", [["NA", ""]]),
        (b"a,b\n1," + b"x" * 3_000_000 + b"\n", [["1", "x" * 3_000_000]]),
    ],
)
def test_cells_of_text_stay_as_they_are(tmp_path, content, rows):
    sheet = read_sheet(written(tmp_path, content), ["a", "b"])
    assert sheet.frame.to_numpy().tolist() == rows


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv", b"", "it is empty"),
        ("in.jsonl", b"\n", "it is empty"),
        ("in.csv", b"a,b\n1,2\n\n3\n", "row 2 has 1 cells where the header has 2"),
        ("in.csv", b"a,b\n0,1,2\n", "row 1 has 3 cells where the header has 2"),
        ("in.csv", b'a,b\n1,"2\n3,4\n', "a quote is opened and never closed"),
        ("in.csv", b"a,b\n1,\x00\n", "bytes of zero"),
        ("in.csv", "a,b\n1,é\n".encode("utf-16-le"), "bytes of zero"),
        ("in.csv", b"a,b\n1,\xe9\n", "line 2 is not UTF-8"),
        ("in.jsonl", b'{"a": 1, "b": "\xe9"}', "line 1 is not UTF-8"),
        ("in.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 1000, mtime=0)[:-12], "Truncated"),
        ("in.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0) + b"garbage", "not a readable csv table"),
        ("in.csv.xz", b"a,b\n", "not a readable csv table"),
        ("in.csv.zst", b"a,b\n", "not a readable csv table"),
        ("in.parquet", b"PAR1", "cannot be read, it is damaged or altered"),
        ("in.feather", b"ARROW1", "not a readable feather table"),
        ("in.jsonl", b'[{"a": 1, "b": 2}]', "not a readable jsonl table"),
        ("in.jsonl", b'{"a": 1, "a": 2}', "not a readable jsonl table"),
        ("in.csv", b"a,b,b\n1,2,3\n", "column 'b' stands twice"),
        ("in.parquet.gz", b"", "not read packed; unpack it first"),
        ("in.pkl.gz", b"", "opening it runs code"),
        ("in.joblib", b"", "opening it runs code"),
        ("in.XLS", b"", "save the sheet as CSV"),
        ("in.dat", b"a,b\n1,2\n", "not a table; read are .csv"),
    ],
)
def test_damage_is_said_in_words(tmp_path, name, content, message):
    with pytest.raises(BadSource, match=message):
        read_sheet(written(tmp_path, content, name), ["a", "b"])


def test_parquet_with_text_that_is_no_text_or_a_name_twice(tmp_path):
    broken = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"a": broken, "b": [1]}), tmp_path / "a.parquet")
    with pytest.raises(BadSource, match="Invalid UTF8"):
        read_sheet(tmp_path / "a.parquet", ["a"])
    pq.write_table(pa.Table.from_arrays([pa.array([1])] * 2, names=["b", "b"]), tmp_path / "b.parquet")
    with pytest.raises(BadSource, match="column 'b' stands twice"):
        read_sheet(tmp_path / "b.parquet", ["b"])


def test_a_text_that_unpacks_to_too_much_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "MAX_BYTES", 10_000)
    with pytest.raises(BadSource, match="more than 10,000 bytes of text"):
        read_sheet(written(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 3000, mtime=0), "in.csv.gz"), None)


@pytest.mark.parametrize(
    ("header", "wanted", "separator"),
    [
        ("a;b", ["a", "b"], ";"),
        ("a\tb", ["a"], "\t"),
        ("a|b", None, "|"),
        ("a;b,c", ["a", "b,c"], ";"),
        ("a;b,c", ["a;b", "c"], ","),
        ("a", ["a"], ","),
    ],
)
def test_the_header_shows_the_separator(tmp_path, header, wanted, separator):
    assert read_sheet(written(tmp_path, f"{header}\n".encode()), wanted).separator == separator


def test_a_header_that_shows_two_separators_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"separated by ',' or ';'; say it in the mapping, separator: ','"):
        read_sheet(written(tmp_path, b"a;b,c\n1;2,3\n"), None)
    assert read_sheet(written(tmp_path, b"a;b,c\n1;2,3\n"), None, ";").names == ["a", "b,c"]


@pytest.mark.parametrize(
    ("cells", "to_100", "sign"),
    [
        (["1.5", ""], False, "."),
        (["1,5"], False, ","),
        (["12,345", "0,5"], False, ","),
        (["0,123"], False, ","),
        (["91,607"], True, ","),
        (["1,2e-3"], False, ","),
        (["1,234.5"], False, "."),  # and no number: refused where it is read
        (["a,b"], False, "."),
        (["12,345"], False, None),
        (["12,345", "NA"], False, None),
        (["1,234,567"], False, None),
    ],
)
def test_the_decimal_sign_is_what_nothing_else_can_be(cells, to_100, sign):
    column = pd.Series(cells, dtype="str", name="x")
    if sign is None:
        with pytest.raises(BadSource, match=r"'x': '1.*' in row 1 may have a decimal comma or"):
            decimal_sign([(column, to_100)], "in.csv")
    else:
        assert decimal_sign([(column, to_100)], "in.csv") == sign


@pytest.mark.parametrize(
    ("cells", "decimal", "message"),
    [
        (["1", "-"], ".", "'-' in row 2; leave empty"),
        (["null"], ".", "'null' in row 1"),
        (["1_000"], ".", "'1_000' in row 1"),
        (["50%"], ".", "'50%' in row 1"),
        (["1,5"], ".", "'1,5' in row 1; its decimal sign is not '.'.*decimal: ','"),
        (["1,234.5"], ".", "'1,234.5' in row 1; its decimal sign"),
        (["1.5"], ",", "'1.5' in row 1; its decimal sign is not ','.*decimal: '.'"),
    ],
)
def test_what_is_no_number_is_named_with_its_row(cells, decimal, message):
    with pytest.raises(BadSource, match=message):
        numbers(pd.Series(cells, dtype="str", name="x"), decimal, "in.csv")


def test_numbers_are_read_to_the_last_digit():
    cells = ["0.1", "1e-3", " 5. ", ".5", "+2", "123456789.123456789", "NaN", "nan", "NA", ""]
    read = numbers(pd.Series(cells, dtype="str", name="x"), ".", "in.csv").tolist()
    assert read[:6] == [0.1, 1e-3, 5.0, 0.5, 2.0, 123456789.123456789]
    assert all(value != value for value in read[6:])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.CSV", ".csv"),
        ("a.b.Tsv.GZ", ".tsv"),
        ("a.PQ", ".pq"),
        ("000001.pickle.pbz2", ""),
        ("a.tar", ""),
        ("gz", ""),
    ],
)
def test_a_kind_is_told_by_the_suffix(name, found):
    assert kind(Path(name)) == found
