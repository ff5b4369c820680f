"""NATS-Bench's Table 1 beside what is counted."""

from natslib.analysis.benchmarks import benchmark_rows
from natslib.analysis.printed import read_benchmarks

TSS, SSS = "NATS-Bench, topology", "NATS-Bench, size"


def test_printed_texts_carry_their_evidence_and_stand_beside_what_is_counted():
    rows = benchmark_rows(
        read_benchmarks(), {("tss", "unique architectures"): "6,466", ("tss", "datasets"): "3"}
    )
    assert list(rows.columns) == [
        ("", "property"),
        ("NAS-Bench-101", "printed"),
        (TSS, "printed"),
        (TSS, "here"),
        (SSS, "printed"),
    ]
    unique = rows.set_index(("", "property")).loc["unique architectures"]
    assert unique[TSS, "printed"] == "6.5K q"
    assert unique[TSS, "here"] == "6,466"
    assert unique["NAS-Bench-101", "printed"] == "423K q"
    assert rows[TSS, "here"].tolist() == ["", "6,466", "3", "", ""]


def test_what_is_not_printed_stays_empty():
    rows = benchmark_rows(read_benchmarks(), {}).set_index(("", "property"))
    assert rows.loc["searches that it allows", (SSS, "printed")] == ""
