"""Records that are compared instead of unpickled: the same table to the last bit, and no harm by those that imitate."""

import bz2
import pickle
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.records import official_record, retold
from natslib.errors import BadSource
from natslib.spaces import get_space
from natslib.tables import chunks
from natslib.tables.chunks import Chunk, read_note
from natslib.tables.format.stack import form_of
from natslib.tables.format.writing import check_runs, write_finals
from natslib.tables.sources import official
from natslib.tables.sources.official import Item
from natslib.tables.sources.template import KEPT, Templates, learned
from natslib.tables.sources.unpickle import loads

SPACES = ("tss", "sss")
INDICES = {
    "tss": (7, 9, 20, 255, 256, 1462, 1651, 9930, 11472, 15_000),
    "sss": (1, 2, 12, 255, 256, 4831, 32_000),
}


class Counting(Templates):
    """Counts the records that were read by comparing."""

    read_ = 0

    def read(self, data: bytes, index: int) -> Any:
        found = super().read(data, index)
        self.read_ += found is not None
        return found


class Blind(Templates):
    """Knows nothing: every record is unpickled."""

    def read(self, data: bytes, index: int) -> None:
        return None


Records = Iterable[tuple[int, bytes]]


def converted(
    records: Records, folder: Path, monkeypatch: pytest.MonkeyPatch, templates: Templates
) -> tuple[dict[str, bytes], list[dict[str, str]]]:
    """Convert unpacked records as one chunk in this process; return the table's files, and what is damaged."""
    monkeypatch.setattr(chunks, "_TEMPLATES", templates)
    folder.mkdir()
    items = []
    for number, (index, data) in enumerate(records):
        path = folder / f"{number}.pickle.pbz2"
        path.write_bytes(bz2.compress(data, 1))
        items.append(Item(index, path.name, str(path), 0, path.stat().st_size, 0))
    chunk = Chunk(tuple(items), folder / "part.parquet", folder / "curves.parquet")
    chunks._convert_chunk(chunk, frozenset())
    files, note = (
        {"curves": chunk.curves.read_bytes()} if chunk.curves.exists() else {},
        read_note(chunk.part),
    )
    if note["space"] is not None:
        sink = pa.BufferOutputStream()
        write_finals(pq.read_table(chunk.part), sink, get_space(note["space"]), named=True)
        files["finals"] = sink.getvalue().to_pybytes()
    return files, note["damaged"]


def same_both_ways(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, list[dict[str, str]]]:
    """Convert with templates and without, compare, and return how many were compared only, and what is damaged."""
    counting = Counting()
    files, damaged = converted(records, tmp_path / "with", monkeypatch, counting)
    assert (files, damaged) == converted(records, tmp_path / "without", monkeypatch, Blind())
    return counting.read_, damaged


@pytest.fixture(scope="module")
def genuine(shared_data: Path) -> dict[str, list[bytes]]:
    """The unpacked genuine records of each space."""
    folder = shared_data / "official-fragments"
    return {
        space: [bz2.decompress(path.read_bytes()) for path in sorted(folder.glob(f"NATS-{space}*/0*.pbz2"))]
        for space in SPACES
    }


@pytest.mark.parametrize("space", SPACES)
def test_records_told_anew_give_the_same_table(
    space: str, genuine: dict[str, list[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other values, seeds, orders of seeds, indices of one byte and of two, strings of several lengths."""
    told = dict(zip((0, 11), genuine[space], strict=True))
    for index in INDICES[space]:
        told[index] = dumped(retold(genuine[space][index % 2], get_space(space), index))
        told[index + 3] = dumped(retold(genuine[space][0], get_space(space), index + 3))
    count, damaged = same_both_ways(sorted(told.items()), tmp_path, monkeypatch)
    assert damaged == []
    assert count >= 3


@pytest.mark.parametrize("space", SPACES)
def test_invented_records_give_the_same_table(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [(index, dumped(official_record(get_space(space), index))) for index in range(300, 312)]
    count, damaged = same_both_ways(records, tmp_path, monkeypatch)
    assert (count >= 4, damaged) == (True, [])


# imitations: of record 11 of the size space, after which the template was learned from another one

SSS = get_space("sss")
LEARNED, IMITATED = 12, 19
"""8:8:8:16:40 and 8:8:8:24:32: strings of one length."""


def plain(index: int) -> dict[str, Any]:
    """An invented record of two short recipes, without anything that a test would have to wait for."""
    record = official_record(SSS, index)
    return {"01": record["01"], "12": record["12"]}


def dumped(record: Any) -> bytes:
    return pickle.dumps(record, protocol=4)


def altered(change: Callable[[Any], object]) -> Callable[[bytes], bytes]:
    """Return what alters a record as an object."""

    def alter(data: bytes) -> bytes:
        record = pickle.loads(data)
        change(record)
        return dumped(record)

    return alter


def replaced(old: bytes, new: bytes, count: int = 1) -> Callable[[bytes], bytes]:
    """Return what replaces bytes of a record, which must be there."""

    def replace(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, count)

    return replace


def _float_of(record: bytes) -> int:
    """Where an accuracy lies: the float of epoch 5."""
    return record.index(b"K\x05G") + 3


def with_float(value: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[: (at := _float_of(data))] + value + data[at + 8 :]


def with_frame(change: int) -> Callable[[bytes], bytes]:
    def frame(data: bytes) -> bytes:
        size = int.from_bytes(data[3:11], "little") + change
        return data[:3] + size.to_bytes(8, "little") + data[11:]

    return frame


def _trial(record: Any) -> Any:
    return record["12"]["all_results"]["cifar10", 777]


SYSTEM = b"\x8c\x05posix\x8c\x06system\x93\x8c\x05touch\x85R0"
REFUSED, READ = True, False
IMITATIONS: dict[str, tuple[Callable[[bytes], bytes], bool]] = {
    "another instruction for a float": (
        lambda data: data[: _float_of(data) - 1] + b"F" + data[_float_of(data) :],
        REFUSED,
    ),
    "a global of another name": (replaced(b"OrderedDict", b"OrderedDicX"), REFUSED),
    "a global of another module": (replaced(b"\x0bcollections", b"\x0bcollectionz"), REFUSED),
    "a call between two values": (lambda data: data[:-2] + SYSTEM + data[-2:], REFUSED),
    "bytes of instructions in a float": (with_float(b"@C(cos\n."), READ),
    "a float that ends the pickle": (with_float(b"........"), READ),
    "truncated": (lambda data: data[:-1], REFUSED),
    "truncated, filled to its length": (lambda data: data[:-40] + b"." * 40, REFUSED),
    "longer": (lambda data: data + b".", REFUSED),
    "a frame that is too long": (with_frame(1), REFUSED),
    "a frame that is too short": (with_frame(-1), READ),
    "a frame of half the length": (with_frame(-30_000), READ),
    "another index": (
        altered(lambda record: [part.update(arch_index=20) for part in record.values()]),
        REFUSED,
    ),
    "another index in one recipe": (altered(lambda record: record["12"].update(arch_index=20)), REFUSED),
    "an index out of the space": (altered(lambda record: record["12"].update(arch_index=2**15 + 5)), REFUSED),
    "another architecture of that length": (
        replaced(SSS.string(IMITATED).encode(), SSS.string(26).encode(), -1),
        REFUSED,
    ),
    "a string that is no text": (replaced(SSS.string(IMITATED).encode(), b"\xff" * 11), REFUSED),
    "a shorter string": (altered(lambda record: record["12"].update(arch_str="8:8:8:8:8")), REFUSED),
    "an infinite accuracy": (with_float(struct.pack(">d", np.inf)), REFUSED),
    "an accuracy that is no number": (with_float(struct.pack(">d", np.nan)), READ),
    "an accuracy above 100": (
        altered(lambda record: _trial(record)["train_acc1es"].update({3: 100.5})),
        REFUSED,
    ),
    "a negative time": (altered(lambda record: _trial(record)["train_times"].update({3: -1.0})), REFUSED),
    "an infinite numpy scalar": (
        altered(lambda record: _trial(record).update(latency=[np.float64("inf")])),
        REFUSED,
    ),
    "two runs of one seed": (replaced(b"M\x78\x03\x86", b"M\x09\x03\x86"), READ),
    "another seed": (replaced(b"M\x78\x03\x86", b"M\x79\x03\x86", -1), READ),
    "another seed in one run": (replaced(b"M\x78\x03\x86", b"M\x79\x03\x86"), READ),
    "another text of a seed": (replaced(b"0888", b"0889"), READ),
    "a text of a seed that is none": (replaced(b"0888", b"\xff888"), REFUSED),
    "an epoch that stands twice": (replaced(b"K\x05G", b"K\x04G"), REFUSED),
    "another epoch": (replaced(b"K\x05G", b"K\x0dG"), REFUSED),
    "an evaluation that stands twice": (replaced(b"x-valid@5", b"x-valid@6"), READ),
    "a reference to another text": (lambda data: _other_reference(data), READ),
    "a whole number as loss": (altered(lambda record: _trial(record)["train_losses"].update({5: 777})), READ),
    "a text as loss": (altered(lambda record: _trial(record)["train_losses"].update({5: "1.5"})), REFUSED),
    "more epochs than it says": (altered(lambda record: _trial(record).update(epochs=11)), REFUSED),
    "protocol 5": (lambda data: b"\x80\x05" + data[2:], READ),
    "an unknown protocol": (lambda data: b"\x80\x63" + data[2:], REFUSED),
}


def _other_reference(data: bytes) -> bytes:
    """Refer to the text of another key where the second run names its first one."""
    at = data.index(b"}\x94(h", data.index(b"}\x94(h") + 4) + 3
    return data[:at] + b"h" + bytes([data[at + 1] + 1]) + data[at + 2 :]


@pytest.fixture(scope="module")
def imitated() -> tuple[bytes, bytes]:
    return dumped(plain(LEARNED)), dumped(plain(IMITATED))


def test_the_record_that_is_imitated_is_read_by_comparing(
    imitated: tuple[bytes, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = list(zip((LEARNED, IMITATED), imitated, strict=True))
    assert same_both_ways(records, tmp_path, monkeypatch) == (1, [])


@pytest.fixture(scope="module")
def templates(imitated: tuple[bytes, bytes]) -> Templates:
    made = Templates()
    made.learn(imitated[0], *checked_runs(imitated[0], LEARNED))
    return made


def is_read_alike(templates: Templates, data: bytes) -> tuple[bool, bool]:
    """Return whether a record is compared only, held against its unpickled runs then, and whether it is refused."""
    found = templates.read(data, IMITATED)
    try:
        runs, _ = checked_runs(data, IMITATED)
    except BadSource:
        assert found is None
        return False, True
    if found is not None:
        assert found.seeds == tuple(run.seed for run in runs)
        assert found.form is form_of(runs)
        np.testing.assert_array_equal(found.numbers, found.form.numbers(runs))
    return found is not None, False


@pytest.mark.parametrize("name", IMITATIONS)
def test_an_imitation_is_read_as_the_unpickler_reads_it_or_refused(
    name: str, imitated: tuple[bytes, bytes], templates: Templates
) -> None:
    change, refused = IMITATIONS[name]
    imitation = change(imitated[1])
    assert imitation != imitated[1]
    assert is_read_alike(templates, imitation)[1] == refused


def test_an_archive_of_imitations_becomes_the_same_table(
    imitated: tuple[bytes, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = [(IMITATED, change(imitated[1])) for change, refused in IMITATIONS.values() if refused]
    records = [(LEARNED, imitated[0]), *hostile, (IMITATED, imitated[1])]
    count, damaged = same_both_ways(records, tmp_path, monkeypatch)
    assert (count, len(damaged)) == (1, len(hostile))


def test_a_changed_byte_is_read_as_the_unpickler_reads_it(
    imitated: tuple[bytes, bytes], templates: Templates
) -> None:
    """Three hundred bytes, among them those of instructions, lengths, keys and numbers."""
    record, rng = imitated[1], np.random.default_rng(0)
    compared, refused = 0, 0
    for at in rng.choice(len(record), 300, replace=False):
        changed = record[:at] + bytes([record[at] ^ 1 << int(rng.integers(8))]) + record[at + 1 :]
        told = is_read_alike(templates, changed)
        compared, refused = compared + told[0], refused + told[1]
    assert compared > 30
    assert refused > 30


def checked_runs(data: bytes, index: int) -> tuple[list[Any], Any]:
    record = official.check_record(loads(data))
    space = official.space_of(record)
    return check_runs(official.runs_of(record, space, index), space), space


# templates that would lie


def _named_by_the_string(record: Any) -> None:
    record[SSS.string(LEARNED)] = record.pop("12")


def _named_by_a_seed(record: Any) -> None:
    record["0777"] = record.pop("12")


def _keyed_by_floats(record: Any) -> None:
    losses = _trial(record)["train_losses"]
    _trial(record)["train_losses"] = {float(epoch): value for epoch, value in losses.items()}


def _whole_numbers(record: Any) -> None:
    _trial(record)["train_losses"][5] = 2


def _two_latencies(record: Any) -> None:
    _trial(record)["latency"] = [0.5, 2.5]


LIARS = {
    "a recipe named by the architecture": _named_by_the_string,
    "a recipe named by a seed": _named_by_a_seed,
    "floats as keys": _keyed_by_floats,
    "a whole number as loss": _whole_numbers,
    "a mean of two numbers": _two_latencies,
}


@pytest.mark.parametrize("name", LIARS)
def test_a_record_whose_values_do_more_than_stand_for_themselves_is_no_template(name: str) -> None:
    record = plain(LEARNED)
    LIARS[name](record)
    data = dumped(record)
    runs, space = checked_runs(data, LEARNED)
    assert learned(data, runs, space) is None


def test_only_so_many_templates_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natslib.tables.sources.template.KEPT", 1)
    templates = Templates()
    for index in (LEARNED, 300):
        data = dumped(plain(index))
        templates.learn(data, *checked_runs(data, index))
    assert KEPT > 1
    assert [len(kept) for kept in templates._by_length.values()] == [1]
