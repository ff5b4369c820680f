"""`natslib shift` on features, images, folders and environments."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from natslib.commands import main


def write_features(path, seed, *, flip=0.0, move=0.0, rows=300, **arrays):
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 2
    place = labels ^ (rng.random(rows) < flip)
    features = rng.normal(size=(rows, 2)) + np.stack([8 * place, np.full(rows, move)], axis=1)
    np.savez(path, **{"features": features, "labels": labels} | arrays)
    return str(path)


def write_images(path, seed, *, rows=200, side=8):
    rng = np.random.default_rng(seed)
    np.savez(path, images=rng.integers(0, 256, (rows, side, side), np.uint8), labels=np.arange(rows) % 2)
    return str(path)


def shift(*arguments, out):
    return main(["shift", *arguments, "--out", str(out)])


def test_features_are_measured_printed_and_kept(tmp_path, capsys):
    a, b = write_features(tmp_path / "a.npz", 0, flip=0.1), write_features(tmp_path / "b.npz", 1, flip=0.9)
    assert shift(a, b, "--trials", "2", out=tmp_path / "out") == 0
    out = capsys.readouterr().out
    assert "form original, 2 trials" in out
    assert "features that both sides show go with other labels" in out
    assert "no feature is found on one side only" in out
    rows = pd.read_parquet(tmp_path / "out" / "a-against-b" / "original.parquet")
    assert rows[["kind", "trial"]].to_numpy().tolist() == [["ood", 0], ["ood", 1], ["iid", 0], ["iid", 1]]
    assert rows["correlation"][0] == pytest.approx(0.8, abs=0.1)


def test_json_has_means_meaning_and_trials_and_several_files_are_one_side(tmp_path, capsys):
    names = [write_features(tmp_path / f"{n}.npz", n, move=9 * (n == 2)) for n in range(3)]
    asked = [f"{names[0]},{names[1]}", names[2], "--trials", "1", "--json", "--calibrate", "--form", "plus"]
    assert shift(*asked, out=tmp_path) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == [600, 300]
    assert told["form"] == "plus"
    assert told["ood"]["diversity"] > 0.5
    assert told["ood"]["diversity_sd"] is None
    assert len(told["trials"]) == 2
    assert (tmp_path / "0+1-against-2" / "plus-calibrated.parquet").is_file()


def test_images_train_a_classifier(tmp_path, capsys):
    a, b = write_images(tmp_path / "a.npz", 0), write_images(tmp_path / "b.npz", 1)
    assert shift(a, b, "--trials", "1", out=tmp_path) == 0
    captured = capsys.readouterr()
    assert "both mixed" in captured.out
    assert "classifier" in captured.err


def test_folders_of_pictures_differ_by_their_classes(tmp_path, capsys):
    for name, classes in {"a": ("cat", "dog"), "b": ("cat", "ox")}.items():
        for of in classes:
            (tmp_path / name / of).mkdir(parents=True)
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / name / of / "0.png")
    assert shift(str(tmp_path / "a"), str(tmp_path / "b"), out=tmp_path) == 1
    assert "one alone has dog, ox" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: write_images(path, 1, side=12), "8×8 pixels .* 12×12"),
        (lambda path: write_features(path, 1), "images of 8×8 .* 2 features"),
        (lambda path: write_images(path, 0), "the same rows"),
        (
            lambda path: write_images(path, 1, rows=40),
            "fewer than two classes are large enough: 90 rows a class",
        ),
        (lambda path: write_features(path, 1, labels=np.zeros(3)), "float64 labels .* for 300 rows"),
        (lambda path: write_features(path, 1, features=np.zeros(300)), r"features are float64 \(300,\)"),
        (lambda path: write_features(path, 1, images=np.zeros(3)), "allowed is a folder"),
        (lambda path: str(path), "no file and no folder"),
    ],
    ids=["size", "mixed", "the same", "too small", "labels", "features", "both", "missing"],
)
def test_what_cannot_be_compared_is_refused(write, words, tmp_path, capsys):
    a, b = write_images(tmp_path / "a.npz", 0), write(tmp_path / "b.npz")
    assert shift(a, b, out=tmp_path) == 1
    assert re.search(words, capsys.readouterr().err)


def test_a_set_without_environments_needs_another_side(tmp_path, capsys):
    assert shift("digits", out=tmp_path) == 1
    assert "digits-rotated" in capsys.readouterr().err


def test_environments_of_one_set_are_two_sides(tmp_path, capsys):
    assert shift("digits-tinted", "--trials", "1", out=tmp_path) == 0
    assert "A 1,350 rows, B 1,353" in capsys.readouterr().out
