"""Environments of one's own: folders and `.npz` files say the same, and what does not go together is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from natslib.__main__ import main
from natslib.errors import BadSource
from natslib.training import own_environments, pictures
from natslib.training.images import ImageSet
from natslib.training.own import own_images
from natslib.training.pictures import read_pictures

RNG = np.random.default_rng(0)
CLASSES = ("ant", "bee")
PARTS = {
    ("dry", "train"): 4,
    ("dry", "valid"): 2,
    ("wet", "train"): 6,
    ("wet", "valid"): 2,
    ("ice", "test"): 3,
}
PIXELS = {key: RNG.integers(0, 256, (2 * n, 8, 8, 3), dtype=np.uint8) for key, n in PARTS.items()}
Arrays = dict[str, np.ndarray]


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sources, dry and wet, and the target ice; half of the pictures of each show ants, half bees."""
    for (name, split), images in PIXELS.items():
        for number, image in enumerate(images):
            kind = CLASSES[number * 2 // len(images)]
            save(tmp_path / "mine" / name / split / kind / f"{number:02d}.png", image)
    return tmp_path / "mine"


def arrays() -> Arrays:
    """The same as arrays."""
    found = {}
    for split in ("train", "valid", "test"):
        parts = {name: images for (name, of), images in PIXELS.items() if of == split}
        found[f"{split}_images"] = np.concatenate(list(parts.values()))
        found[f"{split}_labels"] = np.concatenate(
            [np.repeat(CLASSES, len(part) // 2) for part in parts.values()]
        )
        found[f"{split}_domains"] = np.repeat(list(parts), [len(part) for part in parts.values()])
    return found


def read(tmp_path: Path, stored: Arrays) -> ImageSet:
    np.savez(tmp_path / "mine.npz", **stored)
    return own_images(tmp_path / "mine.npz")


def test_folders_and_arrays_are_read_alike(folder: Path, tmp_path: Path) -> None:
    for data in (own_images(folder), read(tmp_path, arrays())):
        assert (data.name, data.classes, data.environments) == ("mine", 2, ("dry", "wet"))
        assert (len(data.train), sorted(data.evaluations), data.shift, data.flip) == (20, ["valid"], 1, True)
        at = {PIXELS["dry", "train"][5].tobytes(): (1, 0), PIXELS["wet", "train"][0].tobytes(): (0, 1)}
        rows = zip(data.train.images, data.train.labels, data.train.domains, strict=True)
        found = {image.numpy().tobytes(): (int(label), int(domain)) for image, label, domain in rows}
        assert {key: found[key] for key in at} == at
        assert data.evaluations["valid"].domains.tolist() == [0] * 4 + [1] * 4
        test = data.open_final()["test"]
        assert torch.equal(test.images, torch.from_numpy(PIXELS["ice", "test"]))
        assert (test.labels.tolist(), test.domains.tolist()) == ([0] * 3 + [1] * 3, [2] * 6)


def test_no_pixel_of_a_target_is_read_before_the_end(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(files: list[Path]) -> np.ndarray:
        assert not any("ice" in file.parts for file in files), "the target was read"
        return read_pictures(files)

    for module in (own_environments, pictures):
        monkeypatch.setattr(module, "read_pictures", refuse)
    with pytest.raises(AssertionError, match="the target was read"):
        own_images(folder).open_final()

    opened = []
    fetch = np.lib.npyio.NpzFile.__getitem__
    monkeypatch.setattr(
        np.lib.npyio.NpzFile, "__getitem__", lambda self, name: opened.append(name) or fetch(self, name)
    )
    data = read(tmp_path, arrays())
    assert "train_images" in opened
    assert "test_images" not in opened
    data.open_final()
    assert "test_images" in opened


def test_a_file_needs_no_names_of_targets_and_may_number_its_environments(tmp_path: Path) -> None:
    stored = arrays()
    del stored["test_domains"]
    for split in ("train", "valid"):
        stored[f"{split}_domains"] = np.where(stored[f"{split}_domains"] == "dry", 7, 8)
    data = read(tmp_path, stored)
    assert data.environments == ("7", "8")
    assert len(data.open_final()["test"]) == 6


def test_several_targets_are_tested_on_together(folder: Path) -> None:
    shutil.copytree(folder / "ice", folder / "snow")
    assert own_images(folder).open_final()["test"].domains.tolist() == [2] * 6 + [3] * 6


def test_arrays_named_domains_beside_a_plain_set_are_left_alone(tmp_path: Path) -> None:
    stored = {name: array for name, array in arrays().items() if "domains" not in name}
    data = read(tmp_path, stored | {"domains": np.arange(3), "site_domains": np.arange(3)})
    assert data.environments == ()
    assert sorted(data.evaluations) == ["test", "valid"]


def resized(folder: Path, name: str) -> None:
    for file in (folder / name).rglob("*.png"):
        save(file, np.zeros((12, 12, 3), np.uint8))


def also_tested(folder: Path) -> None:
    shutil.copytree(folder / "wet" / "valid", folder / "wet" / "test")


REFUSED_FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a class is missing": (
        lambda folder: [shutil.rmtree(folder / "wet" / split / "bee") for split in ("train", "valid")],
        "'wet' lacks the class 'bee'; needed are training images of every class in every environment",
    ),
    "a class more": (
        lambda folder: save(folder / "wet/train/cat/0.png", PIXELS["ice", "test"][0]),
        "'dry' lacks the class 'cat'",
    ),
    "another class to test on": (
        lambda folder: save(folder / "ice/test/cat/0.png", PIXELS["ice", "test"][0]),
        "has the class 'cat'; allowed are ant, bee",
    ),
    "nothing held out": (
        lambda folder: shutil.rmtree(folder / "dry" / "valid"),
        "no held-out images of 'dry'; needed are valid ones of all that is trained on",
    ),
    "another size": (
        lambda folder: resized(folder, "wet"),
        r"images of several sizes, \(8, 8\) in 'dry' and \(12, 12\) in 'wet'",
    ),
    "another size to test on": (
        lambda folder: resized(folder, "ice"), r"ice/test/ant/00.png has \(12, 12\) pixels, others \(8, 8\)",
    ),
    "a target that is a source": (also_tested, "'wet' is trained on and tested on; a target holds images of"),
    "no target": (lambda folder: shutil.rmtree(folder / "ice"), "has no environment to test on; needed are both"),
    "no source": (
        lambda folder: [shutil.rmtree(folder / name) for name in ("dry", "wet")],
        "has no environment to train on",
    ),
    "an empty target": (
        lambda folder: [shutil.rmtree(folder / "ice/test" / kind) for kind in CLASSES],
        "ice holds no picture to test on",
    ),
    "an unknown folder": (
        lambda folder: save(folder / "wet/more/ant/0.png", PIXELS["ice", "test"][0]),
        "has the folder 'more', which is no split",
    ),
    "a split beside environments": (
        lambda folder: shutil.copytree(folder / "ice/test", folder / "test"), "has the folder 'dry', which is no split",
    ),
    "odd sides": (
        lambda folder: [
            save(file, np.zeros((10, 10, 3), np.uint8)) for file in folder.rglob("*.png")
        ],
        "has images of 10 pixels; networks halve them twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), REFUSED_FOLDERS.values(), ids=REFUSED_FOLDERS.keys())
def test_folders_that_do_not_go_together_are_refused(
    folder: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(folder)
    with pytest.raises(BadSource, match=message):
        own_images(folder)


def changed(name: str, array: np.ndarray) -> Arrays:
    return arrays() | {name: array}


def without(*names: str) -> Arrays:
    return {name: array for name, array in arrays().items() if name not in names}


WET = np.repeat(["wet"], 6)
REFUSED_ARRAYS: dict[str, tuple[Arrays, str]] = {
    "a class is missing": (
        changed("train_labels", np.repeat(["ant", "bee", "ant"], [4, 4, 12])), "'wet' lacks the class 'bee'",
    ),
    "nothing held out": (without("valid_images", "valid_labels", "valid_domains"), "no held-out images of 'dry'"),
    "nothing held out of one": (changed("valid_domains", np.repeat(["wet"], 8)), "no held-out images of 'dry'"),
    "held out of another": (
        changed("valid_domains", np.repeat(["dry", "fog"], 4)),
        "valid: images of 'fog', which is not trained on; allowed are dry, wet",
    ),
    "held out of none": (without("valid_domains"), "has train_domains and no valid_domains"),
    "a target that is a source": (changed("test_domains", WET), "'wet' is trained on and tested on"),
    "no target": (without("test_images", "test_labels", "test_domains"), "has no environment to test on"),
    "a target without labels": (without("test_labels"), "test: images without labels"),
    "another size to test on": (
        changed("test_images", PIXELS["ice", "test"][:, :4, :4]),
        r"has images \(6, 4, 4, 3\) for 6 labels to test on, \(20, 8, 8, 3\) to train on",
    ),
    "other channels to test on": (
        changed("test_images", PIXELS["ice", "test"][..., 0]), r"has images \(6, 8, 8\) for 6 labels to test on",
    ),
    "fewer images to test on": (
        changed("test_images", PIXELS["ice", "test"][:5]), r"has images \(5, 8, 8, 3\) for 6 labels",
    ),
    "another label to test on": (
        changed("test_labels", np.repeat(["ant", "cat"], 3)), "ice, test: class labels have cat; allowed are ant, bee",
    ),
    "too few domains": (changed("train_domains", np.repeat(["wet"], 3)), r"train: domains are <U3 \(3,\); allowed is"),
    "domains of fractions": (changed("train_domains", np.arange(20) / 3), "train: domains are float64"),
}  # fmt: skip


@pytest.mark.parametrize(("stored", "message"), REFUSED_ARRAYS.values(), ids=REFUSED_ARRAYS.keys())
def test_arrays_that_do_not_go_together_are_refused(tmp_path: Path, stored: Arrays, message: str) -> None:
    with pytest.raises(BadSource, match=message):
        read(tmp_path, stored)


def test_a_target_of_another_kind_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    data = read(tmp_path, changed("test_images", PIXELS["ice", "test"] / 255))
    with pytest.raises(BadSource, match="images of type float64 and uint8; allowed is uint8 in every split"):
        data.open_final()


def test_a_folder_of_environments_is_trained_and_searched_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for (name, split), images in PIXELS.items():
        for number in range(130 if split == "train" else 0):
            save(
                folder / name / split / CLASSES[number % 2] / f"more-{number}.png",
                images[number % len(images)],
            )
    where = ["--dataset", str(folder)]
    out = str(tmp_path / "runs")
    train = ["train", "--space", "tss", "--arch", "11472", *where, "--scale", "small", "--recipe", "12"]
    assert main([*train, "--out", out]) == 0
    assert main(["convert", f"{out}/tss", str(tmp_path / "table")]) == 0
    capsys.readouterr()
    asked = ["--arch", "11472", "--dataset", "mine", "--recipe", "12", "--split", "test"]
    assert main(["query", str(tmp_path / "table"), *asked]) == 0
    assert "accuracy" in capsys.readouterr().out
    shutil.rmtree(folder / "ice/test")  # a search has no use for what is tested on
    save(folder / "ice/test/ant/0.png", PIXELS["ice", "test"][0])
    (folder / "ice/test/ant/0.png").write_bytes((folder / "ice/test/ant/0.png").read_bytes()[:60])
    search = ["search", "--algorithm", "rsps", *where, "--settings", "smoke", "--seed", "0"]
    assert main([*search, "--out", str(tmp_path / "searched")]) == 0
