"""What the workflow says when it ends."""

import json

from natslib.workflow.summary import summary

SOURCE = {"origin": "x", "split": "test", "recipe": "longest", "items": ["seed_noise", "fig5_correlation"]}
SEARCHES = {"origin": "none", "settings": "digits", "dataset": "digits"}
CONFIG = {"figures": "drawn", "sources": {"mine": SOURCE}, "searches": SEARCHES}
BLOCKS = [
    {"dataset": "digits", "recipe": "12", "split": "test", "seed": seed, "rows": 9} for seed in (777, 888)
]
DAMAGED = [{"file": "a.pth", "reason": "cut short"}, {"file": "b.pth", "reason": "cut short"}]


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_it_lists_what_was_left_out_and_what_is_damaged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "drawn/seed_noise_mine.json", {"left_out": "one seed only"})
    write(tmp_path / "drawn/fig5_correlation_mine.json", {"caption": "all is there"})
    write(tmp_path / "drawn/anytime_mine.json", {"left_out": "of an older run, not asked for"})
    write(
        tmp_path / "results/tables/mine/manifest.json", {"damaged": DAMAGED, "blocks": BLOCKS, "sha256": {}}
    )
    assert summary(CONFIG) == [
        "damaged in mine, and not in its table: a.pth (cut short) and 1 more",
        "left out of mine, one seed only: seed_noise",
    ]


def test_figures_of_one_reason_share_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "results/tables/mine/manifest.json", {"damaged": [], "blocks": [], "sha256": {}})
    items = ["seed_noise", "rank_stability", "fig4_ranks_valid_test"]
    assert summary(CONFIG | {"sources": {"mine": SOURCE | {"items": items}}}) == [
        "left out of mine, it lacks two runs of an architecture: seed_noise, rank_stability",
        "left out of mine, it lacks validation and test accuracies of one dataset: fig4_ranks_valid_test",
    ]


def test_of_what_is_not_there_yet_it_says_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert summary(CONFIG) == []
