"""Folders of pictures: of a few formats, whatever their suffix; all else is refused by name, and nothing is started."""

import os
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from natslib.errors import BadSource
from natslib.training.own import own_images

Image = pytest.importorskip("PIL.Image", reason="pillow is not installed (extra 'train')")
RNG = np.random.default_rng(0)


def picture(mode: str = "RGB", side: int = 8) -> "Image.Image":
    return Image.fromarray(RNG.integers(0, 256, (side, side, 3), dtype=np.uint8)).convert(mode)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes, two pictures each, to train and to test on."""
    root = tmp_path / "pets"
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            (root / split / label).mkdir(parents=True)
            for i in range(2):
                picture().save(root / split / label / f"{i}.png")
    return root


SPOILT = "train/cat/in.png"


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(trace)(w)file dup (x) writestring closefile\nshowpage\n",
        b"\xc5\xd0\xd3\xc6" + struct.pack("<6I", 32, 60, 0, 0, 0, 0) + b"\xff\xff%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(60),
        b"GIF89a\x08\x00\x08\x00\x00\x00\x00;",
        b"II*\x00\x08\x00\x00\x00",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        b"8BPS\x00\x01",
        b"",
    ],
    ids=["PostScript", "EPS", "GIF", "TIFF", "SVG", "PDF", "Photoshop", "empty"],
)  # fmt: skip
def test_a_picture_of_another_kind_is_refused_and_nothing_started(
    pets: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr("subprocess.Popen", start)
    monkeypatch.chdir(pets)
    (pets / SPOILT).write_bytes(content)
    with pytest.raises(
        BadSource, match=r"in\.png is not a readable picture: .*none of PNG, JPEG, BMP, PPM, WEBP"
    ):
        own_images(pets)
    assert sorted(path.name for path in pets.iterdir()) == ["test", "train"]


def test_the_case_of_postscript_is_refused(
    shared_cases: Path, pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(shared_cases / "a03-image-of-another-kind/in.png", pets / SPOILT)
    monkeypatch.chdir(pets)
    with pytest.raises(BadSource, match=r"in\.png is not a readable picture"):
        own_images(pets)
    assert not list(pets.rglob("written-by-postscript"))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "PPM", "WEBP"])
def test_the_listed_formats_are_read_whatever_their_suffix(pets: Path, form: str) -> None:
    whole = picture()
    whole.save(pets / SPOILT, format=form)
    found = own_images(pets).train.images[2].numpy().astype(int)
    if form in ("PNG", "BMP", "PPM"):
        assert np.array_equal(found, np.asarray(whole))
    assert found.shape == (8, 8, 3)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA"])
def test_grey_indexed_and_opaque_pictures_are_read_as_colours(pets: Path, mode: str) -> None:
    whole = picture(mode)
    whole.save(pets / SPOILT)
    assert np.array_equal(own_images(pets).train.images[2].numpy(), np.asarray(whole.convert("RGB")))


def transparent(mode: str) -> "Image.Image":
    seen = picture("RGBA")
    seen.putpixel((3, 3), (1, 2, 3, 0))
    return seen.convert(mode)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: transparent("RGBA"), "is transparent in places"),
        (lambda: transparent("LA"), "is transparent in places"),
        (lambda: Image.fromarray(np.full((8, 8), 40_000, np.uint16)), "has pixels of the kind I;16; allowed are 8"),
        (lambda: picture(side=12), r"has \(12, 12\) pixels, others \(8, 8\); resize all to one size first"),
        (lambda: picture("L").resize((8, 12)), r"has \(12, 8\) pixels, others"),
    ],
    ids=["RGBA", "LA", "16 bits", "another size", "no square"],
)  # fmt: skip
def test_pictures_without_one_reading_are_refused(pets: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]
    make().save(pets / SPOILT)
    with pytest.raises(BadSource, match=rf"in\.png {message}"):
        own_images(pets)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb(width: int, height: int) -> bytes:
    """A small PNG that claims many pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (2048, 2048), (8, 10**6)])
@pytest.mark.parametrize("name", ["train/cat/0.png", "test/dog/1.png"])
def test_bombs_are_refused_before_they_are_decoded(pets: Path, name: str, size: tuple[int, int]) -> None:
    (pets / name).write_bytes(bomb(*size))
    with pytest.raises(BadSource, match=r"(0|1)\.png (has|is not)"):
        own_images(pets)


def test_many_large_pictures_are_refused(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natslib.training.pictures.memory", lambda: 700)
    with pytest.raises(BadSource, match="hold 768 bytes, more than this machine's memory"):
        own_images(pets)


def test_any_cut_of_a_picture_ends_in_words(pets: Path) -> None:
    for form in ("PNG", "JPEG", "BMP", "PPM", "WEBP"):
        picture().save(pets / SPOILT, format=form)
        whole = (pets / SPOILT).read_bytes()
        for at in range(0, len(whole) - 40, 1 + len(whole) // 12):
            (pets / SPOILT).write_bytes(whole[:at])
            with pytest.raises(BadSource, match=r"in\.png"):
                own_images(pets)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_out(path: Path) -> None:
    (outside := path.parents[3] / "outside.png").write_bytes((path.parent / "0.png").read_bytes())
    path.symlink_to(outside)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (pipe, "no file, but a pipe, a device or a broken link; allowed there are pictures"),
        (Path.mkdir, "is a folder; allowed there are pictures"),
        (link_out, "is a link that leads out of the folder; copy what it leads to"),
        (lambda path: path.symlink_to("/dev/zero"), "is a link that leads out of the folder"),
        (lambda path: path.symlink_to(path.name), "no file, but a pipe, a device or a broken link"),
        (lambda path: path.symlink_to("nothing.png"), "no file, but a pipe, a device or a broken link"),
    ],
    ids=["pipe", "folder", "link out", "device", "link to itself", "broken link"],
)
def test_what_is_no_file_of_the_folder_is_refused_unopened(pets: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]
    make(pets / SPOILT)
    with pytest.raises(BadSource, match=rf"in\.png is {message}|in\.png {message}"):
        own_images(pets)


def test_links_of_folders_that_lead_out_are_refused_too(pets: Path) -> None:
    shutil.copytree(pets / "train/cat", pets.parent / "fox")
    (pets / "train/fox").symlink_to(pets.parent / "fox")
    with pytest.raises(BadSource, match="fox is a link that leads out"):
        own_images(pets)
    (pets / "train/fox").unlink()
    shutil.copytree(pets / "test", pets.parent / "valid")
    (pets / "valid").symlink_to(pets.parent / "valid")
    with pytest.raises(BadSource, match="valid is a link that leads out"):
        own_images(pets)


def test_links_within_the_folder_and_to_it_are_followed(pets: Path) -> None:
    (pets / SPOILT).symlink_to("0.png")
    (pets.parent / "alias").symlink_to(pets)
    data = own_images(pets.parent / "alias")
    assert (len(data.train), data.name) == (5, "alias")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("train/cat/notes.txt", r"notes\.txt is no picture that is read; allowed are \.png, .*: remove or convert it"),
        ("train/cat/0.gif", r"0\.gif is no picture that is read"),
        ("train/labels.csv", r"labels\.csv is no folder; allowed there is a folder a class"),
        ("extra/cat/0.png", "the folder 'extra', which is no split; allowed are train, training, valid, val"),
        ("val/fox/0.png", "val has the class 'fox'; allowed are cat, dog"),
        ("testing/cat/0.png", "has two folders of test: test and testing"),
    ],
)  # fmt: skip
def test_what_nobody_would_train_on_is_named(pets: Path, name: str, message: str) -> None:
    (pets / name).parent.mkdir(parents=True, exist_ok=True)
    picture().save(pets / name, format="PNG")
    with pytest.raises(BadSource, match=message):
        own_images(pets)


def test_what_systems_leave_behind_is_left_alone(pets: Path) -> None:
    before = own_images(pets)
    for name in (
        ".DS_Store",
        "train/Thumbs.db",
        "train/cat/.0.png.swp",
        "test/dog/desktop.ini",
        "README.txt",
    ):
        (pets / name).write_bytes(b"x")
    (pets / "train/.ipynb_checkpoints").mkdir()
    assert np.array_equal(own_images(pets).train.images, before.train.images)


def test_splits_have_several_names_and_classes_go_by_theirs(pets: Path) -> None:
    before = own_images(pets)
    (pets / "train").rename(pets / "Training")
    (pets / "test").rename(pets / "VAL")
    shutil.rmtree(pets / "VAL/cat")
    data = own_images(pets)
    assert data.train.labels.tolist() == before.train.labels.tolist() == [0, 0, 1, 1]
    assert data.evaluations["valid"].labels.tolist() == [1, 1]


def test_empty_and_single_classes_are_refused(pets: Path) -> None:
    (pets / "train/eel").mkdir()
    with pytest.raises(BadSource, match="eel holds no picture; a class needs images to train on"):
        own_images(pets)
    for name in ("train/eel", "train/dog", "test/dog"):
        shutil.rmtree(pets / name)
    with pytest.raises(BadSource, match="one class only"):
        own_images(pets)


def test_classes_without_splits_are_refused(pets: Path) -> None:
    with pytest.raises(BadSource, match="the folder 'cat', which is no split"):
        own_images(pets / "train")
