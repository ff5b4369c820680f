"""How architectures are written: every one comes back, and what can be read in two ways is refused."""

import numpy as np
import pandas as pd
import pytest

from natslib.errors import BadSource, ConfigError
from natslib.spaces import SPACES, get_space
from natslib.spaces.topology import to_naslib
from natslib.tables.sources.encodings import indices

TSS = get_space("tss")


def column(cells: list, dtype: str | None = "str") -> pd.Series:
    return pd.Series(cells, dtype=dtype, name="arch")


@pytest.mark.parametrize("space", SPACES.values())
def test_every_architecture_comes_back_however_it_is_written(space):
    expected = np.arange(0, len(space), 7)
    codes = space.codes(expected)
    names = np.array(space.choices)[codes]
    written = {
        (None, "strings"): [column([space.strings()[index] for index in expected])],
        (None, "indices"): [column(expected.tolist(), "int64")],
        (None, "floats"): [column(expected.tolist(), "float64")],
        ("index", "padded"): [column([f"{index:06d}" for index in expected])],
        ("code", "tuples"): [column([str(tuple(code)) for code in codes.tolist()])],
        ("code", "digits"): [column(["".join(map(str, code)) for code in codes.tolist()])],
        ("code", "lists"): [column(codes.tolist(), "object")],
        ("code", "columns"): [column(row.tolist(), "int64") for row in codes.T],
        ("names", "columns"): [column(row.tolist()) for row in names.T],
    }
    for (encoding, how), columns in written.items():
        np.testing.assert_array_equal(indices(columns, encoding, space, "in.csv"), expected, err_msg=how)


def test_naslib_is_not_taken_for_our_own_order():
    ours = indices([column(["(3, 3, 3, 1, 3, 2)"])], "code", TSS, "in.csv")
    theirs = indices([column(["(2, 2, 0, 2, 2, 3)"])], "naslib", TSS, "in.csv")
    assert ours.tolist() == theirs.tolist() == [6111]
    given = [column(list(row), None) for row in to_naslib(TSS.codes()).T]
    assert indices(given, "naslib", TSS, "in.csv").tolist() == list(range(len(TSS)))


@pytest.mark.parametrize(
    ("space", "encoding", "cells", "message"),
    [
        (
            "tss",
            None,
            ["7", "001234"],
            r"row 2: '001234' may be the official index 1234 or the code \(0, 0, 1, 2, 3, 4\)",
        ),
        ("tss", None, ["00"], "row 1: '00' may be the official index 0 or a code cut short"),
        (
            "sss",
            None,
            ["12345", "12346"],
            r"row 1: '12345' may be the official index 12345 or the code \(1, 2, 3, 4, 5\)",
        ),
        ("tss", None, ["333132"], "indices from 0 to 15624; where these are codes, write encoding: code"),
        ("tss", None, ["[3 3 1 3 1 1]"], "row 1: .* is a tuple; say whose order it is"),
        ("tss", None, ["1.000"], "row 1: '1.000' may be 1 or a number of thousands"),
        ("tss", None, ["5", "3.5"], "row 2: unknown topology architecture '3.5'.*or official indices"),
        ("tss", None, ["-1"], "row 1: unknown .*'-1'"),
        ("tss", None, ["5", " "], "row 2: no architecture"),
        ("tss", None, ["NA"], "row 1: no architecture"),
        ("tss", None, ["0" * 5000], "row 1: unknown"),
        ("tss", "index", ["|none~0|"], "is no whole number, as encoding: index says"),
        ("tss", "code", ["1234"], "'1234' has 4 digits where 6 are needed; were leading zeros lost"),
        ("tss", "code", ["(1, 2, 3)"], r"unknown topology architecture \(1, 2, 3\)"),
        ("tss", "code", ["|none~0|"], "is no code"),
        ("tss", "naslib", ["(0, 0, 0, 0, 0, 5)"], "row 1: unknown code"),
    ],
)
def test_what_may_be_two_things_or_none_is_refused_with_its_row(space, encoding, cells, message):
    with pytest.raises(BadSource, match=message):
        indices([column(cells)], encoding, get_space(space), "in.csv")


@pytest.mark.parametrize(
    ("count", "encoding", "space", "message"),
    [
        (1, "names", "tss", "one column a position under 'arch': 0→1, 0→2"),
        (5, "names", "tss", "'arch' lists 5 columns; the topology space has 6 positions"),
        (6, None, "tss", "several columns under 'arch' need encoding"),
        (6, "index", "tss", "several columns under 'arch' need encoding"),
        (1, "naslib", "sss", "'naslib' belongs to the space tss"),
    ],
)
def test_an_encoding_that_does_not_fit_the_columns_is_refused(count, encoding, space, message):
    with pytest.raises(ConfigError, match=message):
        indices([column(["none"])] * count, encoding, get_space(space), "in.csv")


def test_a_name_or_choice_that_is_none_is_named_with_its_column_and_row():
    given = [column(["none", "none"]) for _ in range(5)] + [pd.Series(["none", "zero"], name="x5")]
    with pytest.raises(
        BadSource, match="column 'x5': row 2: 'zero' is no choice; allowed are none, skip_connect"
    ):
        indices(given, "names", TSS, "in.csv")
    given = [column([0]) for _ in range(5)] + [column([5])]
    with pytest.raises(BadSource, match="row 1: '5' is no choice; allowed are 0 to 4"):
        indices(given, "code", TSS, "in.csv")


def test_indices_as_numpy_saves_them():
    assert indices([column(["1.000000000000000000e+03", "7.0"])], None, TSS, "x").tolist() == [1000, 7]
