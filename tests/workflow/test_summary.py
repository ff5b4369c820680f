"""What the workflow says when it ends."""

import json

from natslib.workflow.summary import summary

SOURCE = {"origin": "x", "split": "test", "recipe": "longest", "items": ["seed_noise", "fig5_correlation"]}
SEARCHES = {"origin": "none", "settings": "digits", "dataset": "digits"}
CONFIG = {"figures": "drawn", "sources": {"mine": SOURCE}, "searches": SEARCHES}
DAMAGED = [{"file": "a.pth", "reason": "cut short"}, {"file": "b.pth", "reason": "cut short"}]


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_it_lists_what_was_left_out_and_what_is_damaged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "drawn/seed_noise_mine.json", {"left_out": "one seed only"})
    write(tmp_path / "drawn/fig5_correlation_mine.json", {"caption": "all is there"})
    write(tmp_path / "drawn/anytime_mine.json", {"left_out": "of an older run, not asked for"})
    write(tmp_path / "results/tables/mine/manifest.json", {"damaged": DAMAGED})
    assert summary(CONFIG) == [
        "damaged in mine, and not in its table: a.pth (cut short) and 1 more",
        "left out seed_noise_mine: one seed only",
    ]


def test_of_what_is_not_there_yet_it_says_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert summary(CONFIG) == []
