"""A full archive in the official layout, of the genuine CIFAR-10 results: what it can give, and its verdicts."""

import natslib
from natslib.analysis.verdicts import AGREES, CONTRADICTS, NOT_JUDGED
from natslib.commands.verify import judge
from natslib.tables import convert
from natslib.workflow.catalogue import CATALOGUE
from natslib.workflow.lacking import lacks, read_manifest
from tests.tables.archive import NAME, make_archive

RUNS = 500


def test_the_verdicts_of_cifar10_are_right(shared_data, tmp_path):
    """By the spec's tolerances: each fact that is about CIFAR-10 alone agrees, but one that is only remembered."""
    assert make_archive(tmp_path / NAME, shared_data / "nats-tss-cifar10.csv") == 15_625
    convert(tmp_path / NAME, tmp_path / "table")

    manifest = read_manifest(tmp_path / "table")
    told = {item.name: lacks(item, manifest) for item in CATALOGUE.values()}
    assert {name: reason for name, reason in told.items() if reason} == {
        "ranks": "it lacks accuracies of two datasets"
    }

    facts = judge(natslib.load(tmp_path / "table"), runs=RUNS).facts
    assert not (facts["verdict"] == CONTRADICTS).any()
    other = facts["what"].str.contains("C100|I120|cifar100|ImageNet")
    assert (facts.loc[other, "verdict"] == NOT_JUDGED).all()
    of_cifar10 = facts[~other]
    apart = of_cifar10[of_cifar10["verdict"] != AGREES]
    assert apart["evidence"].isin(["remembered"]).all(), apart[["item", "what", "why"]]
    assert len(of_cifar10) - len(apart) >= 72
