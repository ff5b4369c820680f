"""What is asked for and what there is of it."""

from pathlib import Path

import pandas as pd
import pytest

from natslib.errors import BadSource, ConfigError
from natslib.site import Overview
from natslib.site.contents import Contents, Drawing, read_config, read_contents
from natslib.workflow.catalogue import CATALOGUE

FACTS = pd.DataFrame(
    {
        "item": [
            "NATS-Bench, Figure 5: Kendall",
            "NATS-Bench, Figure 55: x",
            "NATS-Bench, Table 4: gdas",
            "other",
        ],
        "verdict": ["agrees", "agrees", "contradicts", "not judged"],
        "source": ["published"] * 4,
    }
)


def test_every_item_of_the_default_is_listed_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(Path(__file__).parent)
    found = read_contents()
    assert list(found.items) == list(CATALOGUE)
    assert {drawing.item.name for drawing in found.drawings} == set(CATALOGUE)
    assert not [drawing for drawing in found.holes if drawing.left_out]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("a: [", BadSource, "no configuration"),
        ("- 1", BadSource, "allowed are settings with names"),
        ("figures: x\nsource: {}", ConfigError, "'source' was unexpected"),
    ],
)
def test_a_configuration_that_is_none_is_refused(text, error, said, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(error, match=said):
        read_config(tmp_path / "c.yaml")


def test_a_configuration_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadSource, match="absent"):
        read_config(tmp_path / "absent.yaml")


def test_facts_belong_to_the_item_of_their_number():
    contents = Contents([], FACTS)
    assert contents.verdicts(CATALOGUE["correlation"]) == {"agrees": 1}
    assert contents.verdicts(CATALOGUE["table4_weight_sharing"]) == {"contradicts": 1}
    assert contents.verdicts(CATALOGUE["verdicts"]) == {"agrees": 2, "contradicts": 1, "not judged": 1}
    assert contents.verdicts(CATALOGUE["fresh_training"]) == {}


def test_a_damaged_record_is_named(tmp_path):
    asked = CATALOGUE["correlation"], "figure5", "mine"
    drawing = Drawing(*asked, str(tmp_path))
    assert drawing.command == f"snakemake --cores 2 -- {tmp_path}/fig5_correlation_mine.svg"
    other = Drawing(*asked, "figures", config="my own.yaml").command
    assert other == "snakemake --cores 2 --configfile 'my own.yaml' -- figures/fig5_correlation_mine.svg"
    for suffix in (".png", ".json"):
        drawing.file(suffix).write_text("{")
    with pytest.raises(BadSource, match=r"fig5_correlation_mine\.json: no record of a figure"):
        drawing.left_out  # noqa: B018


def test_the_overview_shows_holes_reasons_and_verdicts(tmp_path):
    item = CATALOGUE["correlation"]
    hole, lacking = (
        Drawing(item, "figure5", "a", str(tmp_path)),
        Drawing(item, "figure5", "b", "x", "no <test>"),
    )
    overview = Overview(Contents([hole, lacking], FACTS))
    shown = overview._repr_html_()
    assert "missing: fig5_correlation_a" in shown
    assert f"<code>snakemake --cores 2 -- {tmp_path}/fig5_correlation_a.svg</code>" in shown
    assert "fig5_correlation_b: no &lt;test&gt;" in shown
    assert "1 agree" in shown
    assert repr(overview) == "2 figures: 0 drawn, 1 left out, 1 missing"
