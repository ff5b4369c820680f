"""What an architecture is worth is looked up where it is known, and nowhere else."""

import json

import numpy as np
import pytest

import natslib
from natslib.errors import NotMeasured
from natslib.spaces import get_space
from natslib.tables import convert
from natslib.tables.reported import costs_line, find_lookups, own_values, source_line


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A table of own training: three networks by recipe 12, one of them by recipe 36 too."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "logs").mkdir()
    lines = [json.dumps(record(arch, "12", 80 + arch)) for arch in (0, 1, 2)] + [
        json.dumps(record(0, "36", 99))
    ]
    (folder / "logs" / "runs.jsonl").write_text("\n".join(lines) + "\n")
    convert(folder / "logs", folder / "embedded-sss", processes=1)
    lines = [json.dumps(record(arch, "12", 70 + arch)) for arch in (2, 5)]
    (folder / "logs" / "runs.jsonl").write_text("\n".join(lines) + "\n")
    convert(folder / "logs", folder / "searched-sss", processes=1)
    return folder / "embedded-sss"


def record(arch, recipe, accuracy):
    values = {"epoch": [0], "loss": [1.0], "accuracy": [accuracy], "top5": [99.0], "time_s": [0.1]}
    return {
        "space": "sss", "arch_index": arch, "dataset": "digits", "recipe": recipe, "seed": 777, "params_m": 0.1,
        "flops_m": 8.0, "latency_s": 0.01, "splits": {"train": values, "valid": values, "test": values}, "stamp": {},
    }  # fmt: skip


def test_our_own_values_are_of_the_recipe_that_most_were_trained_by(own):
    values = own_values(own, "digits")
    assert values[:3].tolist() == [80, 81, 82]
    assert np.isnan(values[3:]).all()
    with pytest.raises(NotMeasured, match=r"no test accuracy of photos; it has \['digits'\]"):
        own_values(own, "photos")


def test_another_table_answers_where_ours_has_nothing(own):
    values = own_values(own, "digits", own.with_name("searched-sss"))
    assert values[[0, 1, 2, 5]].tolist() == [80, 81, 82, 75]
    assert np.isnan(values[[3, 4, 6]]).all()
    with pytest.raises(NotMeasured):  # nor does it make up for a dataset
        own_values(own, "photos", own.with_name("searched-sss"))


def test_a_table_answers_for_its_space_alone(own):
    table = natslib.load("published")
    tss, sss = find_lookups("tss", table, None, "digits"), find_lookups("sss", table, own, "digits")
    assert [view.title for view in tss] == ["CIFAR-10 (published)", "parameters"]
    assert [view.title for view in sss] == ["digits (our own training)", "parameters"]
    assert tss[0].label == "validation accuracy (%)"
    assert round(float(tss[0].values[6111]), 2) == 91.61


def test_parameters_are_a_share_of_the_largest():
    space = get_space("sss")
    *_, size = find_lookups("sss", natslib.load("published"), None, "digits")
    assert size.values[space.index("64:64:64:64:64")] == 100
    assert 0 < size.values[0] < 5


def test_source_line_names_the_package_where_there_is_one() -> None:
    assert source_line({"origin": "published", "source": {"name": "p 0.2"}}) == "source: published (p 0.2)"
    assert source_line({"origin": "NATS-tss", "source": {"files": 3}}) == "source: NATS-tss"


def test_source_line_tells_own_training_and_a_part_of_a_space() -> None:
    manifest = {"origin": "mine", "space": "sss", "blocks": [{"dataset": "photos"}, {"dataset": "digits"}]}
    line = source_line(manifest | {"architectures": {"measured": 1024}})
    assert "our own training of small networks on digits, photos, not CIFAR" in line
    assert line.endswith("1,024 of 32,768 architectures")
    assert "architectures" not in source_line(manifest | {"architectures": {"measured": 32768}})


def test_a_caption_tells_of_costs_that_contradict_where_there_are_some() -> None:
    told = costs_line({"costs": {"checked": 2_000, "contradicted": 3}})
    assert told == "costs in closed form, which 3 of 2,000 rows contradict"
    assert costs_line({"costs": {"checked": 2_000, "contradicted": 0}}) == ""
    assert costs_line({"costs": {"checked": 0, "contradicted": 0}}) == ""


def test_source_line_counts_the_damaged_records_that_are_left_out() -> None:
    damaged = [{"file": "a", "reason": "cut short"}] * 2
    assert source_line({"origin": "x", "damaged": damaged}).endswith("2 damaged records left out")
    assert source_line({"origin": "x", "damaged": damaged[:1]}).endswith("1 damaged record left out")
    assert source_line({"origin": "x", "damaged": []}) == "source: x"


def test_a_table_of_other_datasets_is_no_lookup_but_the_rest_is_there(own):
    table = natslib.load(own)  # of digits: no CIFAR-10
    assert [view.title for view in find_lookups("sss", table, own, "digits")] == [
        "digits (our own training)",
        "parameters",
    ]
