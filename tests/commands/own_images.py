"""Own images of two classes, as a folder of pictures and as an `.npz`: noise with a bright row that tells the class."""

from pathlib import Path

import numpy as np
from PIL import Image

SIZES = {"train": 128, "valid": 32, "test": 32}


def pixels(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 (n, 8, 8, 3) and labels (n,)."""
    labels = np.arange(count) % 2
    images = np.random.default_rng(count).integers(0, 100, (count, 8, 8, 3), dtype=np.uint8)
    images[np.arange(count), 3 * labels] = 255
    return images, labels


def write_npz(path: Path) -> None:
    """Write the splits to an `.npz`."""
    made = {split: pixels(count) for split, count in SIZES.items()}
    arrays = {f"{split}_images": images for split, (images, _) in made.items()}
    arrays |= {f"{split}_labels": labels for split, (_, labels) in made.items()}
    np.savez(path, **arrays)


def write_folder(path: Path) -> None:
    """Write the splits as pictures."""
    for split, count in SIZES.items():
        write_split(path / split, *pixels(count))


def write_environments(path: Path) -> None:
    """Write two sources, of which one is darker, and a target that is darker below, as pictures."""
    for name, split, count in (
        ("summer", "train", 192),
        ("autumn", "train", 190),
        ("summer", "valid", 34),
        ("autumn", "valid", 32),
        ("winter", "test", 188),
    ):
        images, labels = pixels(count)
        images[:, 4 if name == "winter" else 0 :] //= 1 if name == "summer" else 3
        write_split(path / name / split, images, labels)


def write_split(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write the pictures of one split, a folder a class."""
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        place = path / f"class{label}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
