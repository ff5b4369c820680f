"""`natslib search --train`: from the options to trajectories and logs, and what it refuses."""

from pathlib import Path

import pytest

from natslib.commands import main

HERE = [
    "search",
    "--train",
    "--space",
    "dag5",
    "--dataset",
    "digits",
    "--seed",
    "0",
    "--algorithm",
    "autoshrink",
]


def test_a_search_trains_what_it_proposes_and_is_known_the_next_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*HERE, "--budget", "1 evaluations", "--out", str(tmp_path)]) == 0
    first = capsys.readouterr()
    assert "1 runs, 1.0 evaluations a run, 1 networks trained by recipe 12 on digits" in first.out
    assert "training 1  dag5 " in first.err
    assert main([*HERE, "--budget", "1 evaluations", "--out", str(tmp_path)]) == 0
    again = capsys.readouterr()
    assert (again.out, again.err) == (first.out, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--table", "mine"], "trains what it proposes (--train) and does not know --table"),
        (["--settings", "digits"], "does not know --settings"),
        ([], "--train needs --budget, such as '60 evaluations'"),
        (["--budget", "60"], "the budget '60' was given; allowed are"),
        (["--budget", "0.5 evaluations"], "the cheapest training costs 1"),
        (["--budget", "9 evaluations", "--recipe", "200"], "unknown recipe '200': allowed are '12', '36'"),
        (["--budget", "9 evaluations", "--dataset", "pets"], "unknown dataset 'pets'"),
    ],
)
def test_what_it_refuses(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scale = ["--scale", "small"] if "pets" in words else []
    assert main([*HERE, *words, *scale, "--out", str(tmp_path / "o")]) == 1
    assert message in capsys.readouterr().err


def test_a_space_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    without = [word for word in HERE if word not in ("--space", "dag5")]
    assert main([*without, "--budget", "3 evaluations"]) == 1
    assert "--train needs --space" in capsys.readouterr().err
