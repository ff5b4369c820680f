"""A table is held to what the papers say, and what is wrong with one is named."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import natslib
from natslib.analysis import verdicts
from natslib.analysis.verdicts import AGREES, CONTRADICTS, NOT_JUDGED
from natslib.commands import main
from natslib.commands.verify import judge
from natslib.tables import convert

LABELS = {"C10-V": "cifar10-valid", "C100-V": "cifar100", "I120-V": "ImageNet16-120"}


@pytest.fixture(scope="module")
def table(published_table):
    return published_table


@pytest.fixture(scope="module")
def accuracy(table) -> pd.DataFrame:
    held = {
        label: table.values("accuracy", dataset=dataset, recipe="200", split="valid")
        for label, dataset in LABELS.items()
    }
    return pd.DataFrame(held).rename_axis("arch_index")


def causes(accuracy: pd.DataFrame) -> list[str]:
    facts = verdicts.fact_frame("tss", accuracy)
    assert (facts["verdict"] == CONTRADICTS).any()
    return verdicts.diagnose(facts, accuracy, "tss")


def test_the_published_results_contradict_nothing(table) -> None:
    found = judge(table, runs=0)
    assert found.causes == []
    counts = found.facts["verdict"].value_counts()
    assert counts[AGREES] == 63
    assert CONTRADICTS not in counts
    assert (found.facts.loc[found.facts["verdict"] == NOT_JUDGED, "why"] != "").all()


def test_what_the_source_lacks_is_named_once(table) -> None:
    summary = verdicts.summarise(judge(table, runs=0).facts).set_index("item")
    assert summary.loc["NATS-Bench, Table 4: optimal", "why"] == "the source lacks: C10-T, C100-T, I120-T"
    searches = "NATS-Bench, Table 4: multi-trial searches"
    for item in (searches, f"{searches}, spread over runs", f"{searches}, which ends higher"):
        assert "scaled by 200/12" in summary.loc[item, "why"]


def test_fractions_are_named(accuracy) -> None:
    assert causes(accuracy / 100) == [
        "C10-V, C100-V, I120-V: nothing is above 1; these are fractions, and percent is expected: multiply them by 100"
    ]


def test_another_numbering_is_named(accuracy) -> None:
    shuffled = accuracy.sample(frac=1, random_state=0).reset_index(drop=True)
    assert [told.split(":")[0] for told in causes(shuffled)] == [
        "what is said of all architectures together agrees, and what is said of single ones does not"
    ]


def test_columns_that_changed_places_are_named(accuracy) -> None:
    swapped = accuracy.rename(columns={"C100-V": "I120-V", "I120-V": "C100-V"})
    assert causes(swapped) == [
        "I120-V holds what is published of C100-V: name it so in the mapping",
        "C100-V holds what is published of I120-V: name it so in the mapping",
    ]


def test_one_wrong_value_is_a_contradiction_of_no_common_cause(accuracy) -> None:
    wrong = accuracy.copy()
    wrong.loc[11472, "C10-V"] += 1
    facts = verdicts.fact_frame("tss", wrong)
    apart = facts.loc[facts["verdict"] == CONTRADICTS, "what"].tolist()
    assert "accuracy, C10-V 11472" in apart
    assert "rank, C10-V 11472" in apart
    assert "accuracy, C100-V 11472" not in apart


def test_a_part_of_the_architectures_is_not_judged(accuracy) -> None:
    part = accuracy.copy()
    part.loc[5, "C10-V"] = np.nan
    facts = verdicts.fact_frame("tss", part).set_index("what")
    assert facts.loc["mean, C10-V", "why"] == "incomplete: C10-V"
    assert facts.loc["mean, C100-V", "verdict"] == AGREES


def test_counts_in_place_of_millions_are_named(accuracy) -> None:
    stored = pd.DataFrame({"params_m cifar10": [1.2e6, 3e5]})
    costs = verdicts.cost_frame(stored, stored / 1e6)
    assert costs["verdict"].tolist() == [CONTRADICTS]
    assert "1e+06 times what the architectures have" in verdicts.diagnose(costs, accuracy, "tss")[0]


class Damaged:
    """A copy of a table whose values of a metric are altered by a function; the rest is the table's."""

    def __init__(self, table, metric, alter) -> None:
        self.table, self.metric, self.alter = table, metric, alter

    def __getattr__(self, name):
        return getattr(self.table, name)

    def values(self, metric, **where):
        held = self.table.values(metric, **where)
        return self.alter(held) if metric == self.metric else held


SHUFFLED = np.random.default_rng(0).permutation(15_625)


@pytest.mark.parametrize(
    ("metric", "alter", "cause", "remedy"),
    [
        ("accuracy", lambda held: held / 100, "these are fractions", "multiply them by 100"),
        ("params_m", lambda held: held * 1e6, "times what the architectures have", "divide them by 1e+06"),
        ("accuracy", lambda held: held[SHUFFLED], "numbered otherwise", "name them by their strings"),
    ],
    ids=["fractions", "counts", "numbering"],
)
def test_the_command_names_what_is_wrong_with_a_damaged_copy(
    table, metric, alter, cause, remedy, monkeypatch, capsys
) -> None:
    monkeypatch.setattr("natslib.commands.verify.load", lambda _: Damaged(table, metric, alter))
    assert main(["verify", "published", "--runs", "0"]) == 4
    *_, told = capsys.readouterr().out.strip().split("\n\n")
    assert cause in told
    assert remedy in told


@pytest.mark.parametrize("split", ["valid", "test"])
def test_the_command_names_what_was_swapped_and_ends_with_4(accuracy, split, tmp_path, capsys) -> None:
    """Columns that changed places; and validation accuracies that are called test accuracies."""
    accuracy.reset_index().to_csv(tmp_path / "mine.csv", index=False)
    swapped = {"C10-V": "cifar10-valid", "C100-V": "ImageNet16-120", "I120-V": "cifar100"}
    if split == "test":
        swapped = LABELS | {"C10-V": "cifar10"}
    columns = {
        label: {"dataset": dataset, "recipe": "200", "split": split, "seed": "mean", "metric": "accuracy"}
        for label, dataset in swapped.items()
    }
    (tmp_path / "mine.yaml").write_text(
        yaml.safe_dump({"space": "tss", "arch": "arch_index", "columns": columns})
    )
    convert(tmp_path / "mine.csv", tmp_path / "table", columns=tmp_path / "mine.yaml")
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "table"), "--runs", "0"]) == 4
    wrong = {
        "valid": "I120-V holds what is published of C100-V",
        "test": "C10-T holds what is published of C10-V",
    }
    assert wrong[split] in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "table"), "--runs", "0", "--json"]) == 4
    assert len(json.loads(capsys.readouterr().out)["causes"]) == {"valid": 2, "test": 3}[split]


def test_a_space_that_no_paper_reports_has_no_facts() -> None:
    assert verdicts.fact_frame("dag5", pd.DataFrame()).empty


def test_the_real_results_of_cifar10_agree(shared_data, tmp_path) -> None:
    columns = Path(__file__).parents[1] / "tables/nats-tss-cifar10.yaml"
    convert(shared_data / "nats-tss-cifar10.csv", tmp_path / "table", columns=columns)
    found = judge(natslib.load(tmp_path / "table"), runs=20)
    counts = found.facts["verdict"].value_counts()
    assert counts[AGREES] >= 58
    assert CONTRADICTS not in counts
    whys = found.facts.set_index("what")["why"]
    assert whys["mean of bohb, C10-T"].startswith("no scores after fewer epochs")
    assert whys["mean of rea, C100-T"] == "the source lacks: C100-V@12"


def test_searches_of_a_part_of_the_real_results_are_not_judged(shared_data, tmp_path) -> None:
    rows = (shared_data / "nats-tss-cifar10.csv").read_text().splitlines(keepends=True)
    (tmp_path / "part.csv").write_text("".join(rows[:1_001]))
    columns = Path(__file__).parents[1] / "tables/nats-tss-cifar10.yaml"
    convert(tmp_path / "part.csv", tmp_path / "table", columns=columns)
    facts = judge(natslib.load(tmp_path / "table"), runs=2).facts.set_index("what")
    assert facts.loc["mean of rea, C10-T", "why"] == "scored in part: CIFAR-10"
    assert CONTRADICTS not in set(facts["verdict"])
