"""Own images: an .npz or a folder becomes an image set; what does not fit is refused."""

from pathlib import Path

import numpy as np
import pytest

from natslib.errors import BadSource, UnknownName
from natslib.training.sources import load_images, own_images


def arrays(n: int = 12) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)
    labels = np.arange(n) % 3
    return {
        "train_images": pixels,
        "train_labels": labels,
        "test_images": pixels[:6],
        "test_labels": labels[:6],
    }


def test_an_npz_becomes_an_image_set(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **arrays())
    data = load_images(str(tmp_path / "mine.npz"), tmp_path, verify=True)
    assert (data.name, data.classes, data.in_channels, data.resolution) == ("mine", 3, 3, 16)
    assert (len(data.train), list(data.evaluations), data.shift, data.flip) == (12, ["test"], 2, True)
    assert data.mean == pytest.approx(arrays()["train_images"].mean(axis=(0, 1, 2)))


def test_grey_images_get_a_channel(tmp_path: Path) -> None:
    grey = {name: array[..., 0] if array.ndim == 4 else array for name, array in arrays().items()}
    np.savez(tmp_path / "grey.npz", **grey)
    assert own_images(tmp_path / "grey.npz").in_channels == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"test_images": None}, "test: labels without images; needed are train_images and train_labels"),
        (
            {"test_images": None, "test_labels": None},
            r"has the splits \['train'\]; needed are train and one of valid and test",
        ),
        (
            {"train_images": np.zeros((12, 16, 16, 3))},
            "images of type float64 and uint8; allowed is uint8 in every",
        ),
        (
            {"train_labels": np.zeros(12)},
            "train: float64 labels; allowed are whole numbers, text and one-hot",
        ),
        ({"test_labels": np.full(6, -1)}, "test: class labels have -1; allowed are 0 to 2, as in train"),
        ({"test_images": np.zeros((6, 16, 16, 1), np.uint8)}, "allowed is torch.uint8"),
        (
            {"train_labels": np.array([object()])},
            "plain arrays: Object .*; objects are not read, save numbers or text",
        ),
        (
            {"train_labels": np.zeros((12, 1, 1), int)},
            r"train: images \(12, 16, 16, 3\) and labels \(12, 1, 1\);",
        ),
        ({"test_images": np.zeros((6, 768), np.uint8)}, r"test: images \(6, 768\) and labels \(6,\);"),
        ({"test_images": np.zeros((0, 16, 16, 3), np.uint8)}, r"test: images \(0, 16, 16, 3\) and labels"),
        ({"train_images": np.zeros((12, 30, 30, 3), np.uint8)}, "has images of 30 pixels; networks halve"),
    ],
)
def test_wrong_arrays_are_refused(
    tmp_path: Path, changed: dict[str, np.ndarray | None], message: str
) -> None:
    content = {name: array for name, array in (arrays() | changed).items() if array is not None}
    np.savez(tmp_path / "mine.npz", **content)
    with pytest.raises(BadSource, match=message):
        own_images(tmp_path / "mine.npz")


@pytest.mark.parametrize("damage", ["a lone array", "overwritten", "cut off"])
def test_damaged_files_are_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, **arrays())
    content = path.read_bytes()
    if damage == "a lone array":
        with path.open("wb") as file:
            np.save(file, arrays()["train_images"])
    else:
        middle = len(content) // 2
        path.write_bytes(content[:middle] + (bytes(100) + content[middle + 100 :]) * (damage != "cut off"))
    with pytest.raises(BadSource, match=r"is not an \.npz of plain arrays"):
        own_images(path)


def write_pictures(root: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    rng = np.random.default_rng(0)
    for split in ("train", "valid"):
        for label in ("cat", "dog"):
            (root / split / label).mkdir(parents=True)
            for i in range(3):
                pixels = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
                image.fromarray(pixels).save(root / split / label / f"{i}.png")


def test_a_folder_becomes_an_image_set(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pets")
    data = own_images(tmp_path / "pets")
    assert (data.name, data.classes, data.resolution) == ("pets", 2, 12)
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_pictures_of_several_sizes_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    (other := tmp_path / "train/dog/2.png").unlink()
    pytest.importorskip("PIL.Image").new("RGB", (10, 20)).save(other)
    with pytest.raises(
        BadSource, match=r"2\.png has \(20, 10\) pixels, others \(12, 12\); resize all to one"
    ):
        own_images(tmp_path)


def test_a_folder_with_a_strange_class_or_a_broken_picture_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    (tmp_path / "valid/dog").rename(tmp_path / "valid/fox")
    with pytest.raises(BadSource, match="valid has the class 'fox'; allowed are cat, dog"):
        own_images(tmp_path)
    (tmp_path / "valid/fox").rename(tmp_path / "valid/dog")
    (tmp_path / "train/cat/0.png").write_bytes(b"no picture")
    with pytest.raises(BadSource, match=r"0\.png is not a readable picture"):
        own_images(tmp_path)


def test_names_and_paths_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownName, match=r"unknown dataset 'cifar': allowed are 'cifar10-valid', .*'digits'"
    ):
        load_images("cifar", tmp_path, verify=True)
    with pytest.raises(BadSource, match=r"none\.npz is no file and no folder"):
        load_images(str(tmp_path / "none.npz"), tmp_path, verify=True)
