"""Earlier epochs are read a piece or a column at a time, with the same answers, and what is kept is bounded."""

import itertools

import pytest

from natslib.dropin import records
from natslib.nats_bench import create
from tests.dropin.archives import invented

ASKED = list(itertools.product(range(4), ("cifar10-valid", "cifar100"), (0, 7, 24, 198), (False, 777, 999)))


def answers(folder, monkeypatch, **limits):
    for name, limit in limits.items():
        monkeypatch.setattr(records, name, limit)
    api = create(str(folder), "tss", fast_mode=True, verbose=False)
    told = [dict(api.get_more_info(index, data, epoch, "200", seed)) for index, data, epoch, seed in ASKED]
    return api, told


@pytest.mark.usefixtures("cache")
def test_pieces_and_columns_give_the_same(tmp_path, monkeypatch):
    folder = invented(tmp_path, number=4)
    near, by_piece = answers(folder, monkeypatch)
    assert not any(group.at_epoch for group in near._records.groups.values())
    assert len(near._records.histories) == 4 * 2 * 3
    far, by_column = answers(folder, monkeypatch, PATIENCE=0)
    assert all(group.at_epoch for group in far._records.groups.values())
    assert by_column == by_piece


@pytest.mark.usefixtures("cache")
def test_what_is_kept_is_bounded(tmp_path, monkeypatch):
    folder = invented(tmp_path, number=4)
    _, expected = answers(folder, monkeypatch)
    api, told = answers(folder, monkeypatch, PIECES=2, HISTORIES=3, PATIENCE=40, COLUMNS=2, TOLD=2)
    assert told == expected
    kept = api._records
    assert len(kept.histories) <= 3
    assert len(kept.pieces._pieces) <= 2
    assert sum(len(group.at_epoch) for group in kept.groups.values()) <= 2
    for index in range(4):
        api.get_more_info(index, "cifar100", hp="200", is_random=False)
    assert len(kept.group("200", "cifar100").answers["mean"].told) <= 2


@pytest.mark.usefixtures("cache")
def test_what_is_asked_again_cannot_be_altered(tmp_path):
    api = create(str(invented(tmp_path, number=1)), "tss", fast_mode=True, verbose=False)
    first = dict(api.get_more_info(0, "cifar10", is_random=False))
    for _ in range(3):  # the second and third are kept answers
        api.get_more_info(0, "cifar10", is_random=False).clear()
    assert api.get_more_info(0, "cifar10", is_random=False) == first
