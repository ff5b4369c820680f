"""What a table's manifest tells of the data that items draw."""

from dataclasses import replace

import pytest

from natslib.workflow.catalogue import CATALOGUE, DATA
from natslib.workflow.lacking import lacks, read_manifest


def block(dataset="digits", recipe="12", split="valid", seed=777, rows=9):
    return {"dataset": dataset, "recipe": recipe, "split": split, "seed": seed, "rows": rows}


def told(kind, *blocks, curves=()):
    item = replace(CATALOGUE["ranks"], data=(kind,))
    return lacks(item, {"blocks": list(blocks), "sha256": dict.fromkeys(curves, "")})


TEST = block(split="test")


@pytest.mark.parametrize(
    ("kind", "held", "lacking"),
    [
        ("scores", [block()], [TEST, block(split="train")]),
        ("test", [block("cifar10-valid"), block("cifar10", split="test")], [block("photos"), TEST]),
        ("datasets", [block(), block("photos")], [block(), block("photos", split="test")]),
        ("datasets", [block(), block("photos")], [block("cifar10-valid"), block("cifar10")]),
        ("datasets", [block(), block("photos")], [block(), block("photos", rows=2)]),
        ("seeds", [block(), block(seed=888)], [block(), block(seed="mean"), block("photos", seed=888)]),
        (
            "seeds",
            [TEST, block(seed=888, split="test")],
            [block(split="train"), block(split="train", seed=888)],
        ),
        ("trainings", [block(), block(recipe="36")], [block(), block("photos", recipe="36")]),
    ],
)
def test_what_is_there_and_what_is_not(kind, held, lacking):
    assert told(kind, *held) == ""
    assert told(kind, *lacking) != ""


def test_curves_hold_shorter_trainings():
    assert told("trainings", block(), curves=["finals.parquet"]) != ""
    assert told("trainings", block(), curves=["curves/000000.parquet"]) == ""


def test_all_that_is_lacking_is_said():
    item = replace(CATALOGUE["ranks"], data=tuple(DATA))
    assert lacks(item, {"blocks": [], "sha256": {}}).count(" and ") >= len(DATA) - 1


def test_a_folder_without_a_manifest_is_no_table(tmp_path):
    assert read_manifest(tmp_path) is None
