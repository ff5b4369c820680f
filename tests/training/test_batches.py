"""Pickled batches of images: every honest form is read bit for bit, every hostile one refused in words."""

import pickle
import runpy
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from natslib.errors import BadSource
from natslib.training.batches import open_batch, read_batches
from tests.conftest import ROOT

PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 12)
KIND = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
STATE = b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
SHAPE = b"K\x02K\x0c\x86"
RAW = b"U\x18" + PIXELS.tobytes()
EMPTY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
LABELS = b"](K\x00K\x01e"


def batch(
    *,
    empty: bytes = EMPTY,
    kind: bytes = KIND,
    state: bytes = STATE,
    shape: bytes = SHAPE,
    fortran: bytes = b"K\x00",
    raw: bytes = RAW,
    labels: bytes = LABELS,
    end: bytes = b"u.",
) -> bytes:
    """A batch as Python 2 wrote it (protocol 2), in parts that can be exchanged."""
    array = empty + b"(K\x01" + shape + kind + state + fortran + raw + b"tb"
    return b"\x80\x02}(U\x04data" + array + b"U\x06labels" + labels + end


def read(tmp_path: Path, content: bytes) -> np.ndarray:
    (tmp_path / "batch").write_bytes(content)
    return read_batches([tmp_path / "batch"], 2, b"labels").images.numpy()


CHANNELS_LAST = PIXELS.reshape(2, 3, 2, 2).transpose(0, 2, 3, 1)


def test_a_batch_of_python_2_is_read_bit_for_bit(tmp_path: Path) -> None:
    assert np.array_equal(read(tmp_path, batch()), CHANNELS_LAST)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("labels", [[0, 1], np.array([0, 1]), np.array([0, 1], ">i2")], ids=repr)
def test_every_protocol_and_order_is_read_bit_for_bit(
    tmp_path: Path, protocol: int, order: str, labels: object
) -> None:
    content = {"data": np.array(PIXELS, order=order), b"labels": labels, b"names": [b"", "ü"]}
    if protocol < 3:
        del content[b"names"]  # the empty bytes of Python 3 are a call there
    assert np.array_equal(read(tmp_path, pickle.dumps(content, protocol)), CHANNELS_LAST)


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("kind", ["b1", ">i2", "<i8", ">f8", "<f4", ">u4"])
def test_arrays_of_numbers_keep_type_byte_order_and_shape(tmp_path: Path, protocol: int, kind: str) -> None:
    array = np.arange(6).reshape(1, 2, 3).astype(kind)
    (tmp_path / "batch").write_bytes(pickle.dumps({b"array": array}, protocol))
    found = open_batch(tmp_path / "batch")[b"array"]
    assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_genuine_images_are_read_bit_for_bit(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="pillow is not installed")
    images_and_labels = runpy.run_path(str(shared_data / "cifar10.py"))["images_and_labels"]
    with np.load(shared_data / "cifar10-jpeg.npz") as pack:
        few = {name: pack[name][:50] for name in ("length", "label", "is_test")} | {"header": pack["header"]}
        few["payload"] = pack["payload"][: few["length"].sum()]
    np.savez(tmp_path / "few.npz", **few)
    pixels, labels, _ = images_and_labels(tmp_path / "few.npz")
    content = {b"data": pixels.reshape(50, -1), b"labels": labels.tolist()}
    (tmp_path / "batch").write_bytes(pickle.dumps(content, 3))
    split = read_batches([tmp_path / "batch"], 32, b"labels")
    assert np.array_equal(split.images.numpy(), pixels.transpose(0, 2, 3, 1))
    assert split.labels.tolist() == labels.tolist()


def doubling(depth: int) -> bytes:
    """A list of lists that each hold the one before twice: some bytes, 2**depth items when written out."""
    return b"(]q\x00" + b"".join(b"](h%ch%ceq%c" % (n, n, n + 1) for n in range(depth)) + b"l"


HOSTILE = {
    "a type of objects": (batch(kind=b"cnumpy\ndtype\n(U\x01OK\x00K\x01tR"), "an array of type 'O'; allowed are b1"),
    "a type with fields": (batch(kind=b"cnumpy\ndtype\n(U\x02V8K\x00K\x01tR"), "an array of type 'V8'"),
    "fields by state": (
        batch(state=b"(K\x03U\x01|N(U\x01atU\x01a}K\x08K\x01K\x00tb"),
        "whose type has fields, parts or data of its own",
    ),
    "parts by state": (batch(state=b"(K\x03U\x01|(U\x01OK\x02tNNK\x08K\x01K\x00tb"), "has fields, parts or data"),
    "data of its own": (batch(state=STATE[:-2] + b"}tb"), "has fields, parts or data"),
    "an odd byte order": (batch(state=b"(K\x03U\x01ONNNK\x01K\x01K\x00tb"), "has fields, parts or data"),
    "text": (batch(kind=b"cnumpy\ndtype\n(U\x02S4K\x00K\x01tR"), "an array of type 'S4'"),
    "a negative side": (batch(shape=b"J\xfe\xff\xff\xffJ\xf4\xff\xff\xff\x86"), "up to four whole numbers from 0"),
    "a huge side": (batch(shape=b"K\x02\x8a\x08" + b"\xff" * 7 + b"\x7f\x86"), "whose shape needs 184467440737"),
    "an endless side": (
        batch(shape=b"\x8b" + struct.pack("<i", 30_000) + b"\x7f" * 30_000 + b"K\x01\x86"),
        "whose shape needs of type int",
    ),
    "a side that is true": (batch(shape=b"\x88K\x18\x86"), "up to four whole numbers from 0"),
    "forty sides": (batch(shape=b"(" + b"K\x01" * 40 + b"t"), "up to four whole numbers from 0"),
    "a list as shape": (batch(shape=b"](K\x02K\x0ce"), "up to four whole numbers from 0"),
    "too few bytes": (batch(raw=b"U\x04abcd"), "an array of 4 bytes whose shape needs 24"),
    "too many bytes": (batch(raw=b"U\x19" + b"x" * 25), "an array of 25 bytes whose shape needs 24"),
    "a list as bytes": (batch(raw=b"](K\x00K\x01e"), "an array of something other than plain numbers"),
    "no type": (batch(kind=b"N", state=b""), "an array of something other than plain numbers"),
    "strides": (batch(raw=RAW + b"K\x01K\x01\x86"), "an array with a state that is none"),
    "memory of its choosing": (
        batch(empty=b"cnumpy\nndarray\n(K\x08\x85U\x01O" + RAW + b"tR"),
        "makes an array over memory of its choosing; nothing was executed",
    ),
    "a class of its own": (
        batch(empty=b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\nK\x00\x85U\x01btR"),
        "an array of a class of its own",
    ),
    "a memory map": (
        batch(empty=b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nmemmap\nK\x00\x85U\x01btR"),
        r"it asks for numpy\.memmap, which no batch of images contains; nothing was executed",
    ),
    "a state for the class": (batch(empty=b"cnumpy\nndarray\nN}U\x01aK\x01s\x86b" + EMPTY), "sets state on something"),
    "a state for a function": (batch(labels=b"c_codecs\nencode\n}b"), "sets state on something"),
    "a state for a list": (batch(labels=b"]}U\x01aK\x01sb"), "not a pickled batch"),
    "a codec": (batch(labels=b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00hextR"), "other than latin1"),
    "a persistent id": (batch(labels=b"Pfile\n"), "instruction PERSID, which no batch of images"),
    "an extension": (batch(labels=b"\x82\x01"), "instruction EXT1"),
    "a new object": (batch(labels=b"cnumpy\nndarray\n)\x81"), "instruction NEWOBJ"),
    "a set": (batch(labels=b"(K\x01\x91"), "instruction FROZENSET"),
    "a memo that is not there": (batch(labels=b"h\x63"), "not a pickled batch"),
    "a key that hashes for ever": (batch(labels=b"})" + b"q\x01h\x01\x86" * 60 + b"K\x01s"), "under keys that no"),
    "such a key at once": (batch(labels=b"()" + b"q\x01h\x01\x86" * 60 + b"K\x01d"), "under keys that no"),
    "labels that double": (batch(labels=doubling(100)), "labels that are no list of whole numbers"),
    "labels within themselves": (batch(labels=b"]q\x01(h\x01K\x01e"), "labels that are no list of whole numbers"),
    "labels nested deeply": (batch(labels=b"(" * 200_000 + b"l" * 200_000), "labels that are no list of whole"),
    "labels as text": (batch(labels=b"](U\x011U\x012e"), "labels that are no list of whole numbers"),
    "negative labels": (batch(labels=b"](J\xff\xff\xff\xffK\x01e"), "labels that are no list of whole numbers"),
    "labels of 5,000 digits": (batch(labels=b"(I" + b"9" * 5000 + b"\nI1\nl"), "not a pickled batch"),
    "images as a list": (pickle.dumps({b"data": PIXELS.tolist(), b"labels": [0, 1]}), "the type list; allowed is an"),
    "images of 16 bits": (pickle.dumps({b"data": PIXELS.astype("u2"), b"labels": [0, 1]}), "the type uint16; allowed"),
    "images of another shape": (batch(shape=b"K\x0cK\x02\x86"), r"the shape \(12, 2\); allowed is \(2, 12\)"),
    "a frame without end": (b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"}.", "a frame of 1,152,921,504"),
    "bytes without end": (b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".", "not a pickled batch"),
    "bytes after the end": (batch(end=b"u.more"), "bytes follow the end of its pickle"),
    "a keyed list": (b"\x80\x02](U\x01aK\x01u.", "items set on something other than a dict"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_batches_are_refused_in_words(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(BadSource, match=message):
        read(tmp_path, content)


def test_a_memory_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natslib.tables.sources.unpickle.MAX_MEMORY", 20 * 2**20)
    with pytest.raises(BadSource, match="not a pickled batch of images \\(MemoryError"):
        read(tmp_path, batch(labels=b"(" + b"]" * 8_000_000 + b"l"))


def test_a_file_beyond_any_batch_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "batch").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(BadSource, match="1,099,511,627,776 bytes, more than any batch of images"):
        open_batch(tmp_path / "batch")


def test_the_case_of_objects_is_refused_without_harm(shared_cases: Path, tmp_path: Path) -> None:
    path = shared_cases / "a04-batch-of-objects/data_batch_1"
    code = f"from pathlib import Path; from natslib.training.batches import open_batch; open_batch(Path({str(path)!r}))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 1, "an exception, not a signal"
    assert "data_batch_1 is refused: it makes an array over memory of its choosing" in run.stderr
